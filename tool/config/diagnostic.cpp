#include "config/diagnostic.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

namespace partita::tool {

namespace {

// Levenshtein distance, with a swap of neighbours as one step.
std::size_t distance(const std::string& a, const std::string& b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i)
        for (std::size_t j = 1; j <= b.size(); ++j) {
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[a.size()][b.size()];
}

}  // namespace

void Diagnostics::error(Place place, std::string message) { errors_.push_back({place, std::move(message)}); }

std::string Diagnostics::text() const {
    auto sorted = errors_;
    std::sort(sorted.begin(), sorted.end(),
              [](const Entry& a, const Entry& b) { return std::tie(a.place, a.message) < std::tie(b.place, b.message); });
    std::string out;
    for (const Entry& entry : sorted) {
        out += fmt::format("{}:{}:{}: error: {}\n", file_, entry.place.line, entry.place.column, entry.message);
    }
    return out;
}

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const std::string& candidate : candidates)
        if (const std::size_t d = distance(word, candidate); d < best_distance) best = candidate, best_distance = d;
    return best;
}

std::string suggest(const std::string& word, const std::vector<std::string>& candidates) {
    if (const std::string best = nearest(word, candidates); !best.empty()) return fmt::format("did you mean \"{}\"?", best);
    if (candidates.empty()) return "there are none";
    return fmt::format("known: {}", fmt::join(candidates, ", "));
}

}  // namespace partita::tool
