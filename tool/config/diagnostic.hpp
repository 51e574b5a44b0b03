// What is wrong with a description: where, what, and how to mend it. Collected, so that one run tells everything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace partita::tool {

// A place in a description. What concerns the file as a whole is at its begin.
struct Place {
    std::uint32_t line = 1;
    std::uint32_t column = 1;
    auto operator<=>(const Place&) const = default;
};

class Diagnostics {
public:
    explicit Diagnostics(std::string file) : file_(std::move(file)) {}

    void error(Place place, std::string message);
    [[nodiscard]] bool any() const { return !errors_.empty(); }
    [[nodiscard]] std::size_t count() const { return errors_.size(); }
    // `file:line:column: error: …`, a line each, in the order of the file.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] const std::string& file() const { return file_; }

private:
    struct Entry {
        Place place;
        std::string message;
    };
    std::string file_;
    std::vector<Entry> errors_;
};

// The member of candidates that `word` was probably meant to be, or "" when none is near.
[[nodiscard]] std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

// `did you mean "x"?` or a list of what there is.
[[nodiscard]] std::string suggest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace partita::tool
