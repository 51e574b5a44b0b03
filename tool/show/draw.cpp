#include "show/draw.hpp"

#include <fmt/format.h>

#include <array>

namespace partita::tool {

namespace {

// A palette that people with a colour deficiency can tell apart (Okabe and Ito), softened.
constexpr std::array<const char*, 8> colours{"#7fb3d5", "#f5b971", "#8fcfae", "#e39ab8", "#c9b6e4", "#f0dd78", "#9fd6e0", "#e8998d"};

std::string escape(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '<' ? "&lt;" : c == '&' ? "&amp;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : std::string(1, c);
    return out;
}

}  // namespace

std::string colour(int partition) { return colours[static_cast<std::size_t>(partition) % colours.size()]; }

std::string box(int x, int y, int w, int h, const std::string& fill, const char* more) {
    return fmt::format(R"(<rect x="{}" y="{}" width="{}" height="{}" rx="5" fill="{}" stroke="#44505c" stroke-width="1"{}/>)"
                       "\n",
                       x, y, w, h, fill, more);
}

std::string bar(double x, double y, double w, double h, const std::string& fill, const char* more) {
    return fmt::format(R"(<rect x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}" fill="{}"{}/>)"
                       "\n",
                       x, y, w, h, fill, more);
}

std::string text(int x, int y, const std::string& words, const char* style, const char* anchor) {
    return fmt::format(R"(<text x="{}" y="{}" text-anchor="{}" class="{}">{}</text>)"
                       "\n",
                       x, y, anchor, style, escape(words));
}

std::string picture(const std::string& title, const std::string& label, int height, const std::string& content) {
    std::string out =
        fmt::format(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-label="{2}">)"
                    "\n",
                    drawing::width, height, escape(label));
    out +=
        "<style>text{font-family:system-ui,'Segoe UI','DejaVu "
        "Sans',sans-serif;fill:#1f2a33}.h1{font-size:19px;font-weight:600}.h2{font-size:14px;font-weight:600;fill:#51606d}"
        ".name{font-size:14px;font-weight:600}.small{font-size:12px}.mono{font-size:12px;font-family:'DejaVu Sans "
        "Mono',ui-monospace,monospace;fill:#51606d}</style>\n";
    out += fmt::format(R"(<rect width="{}" height="{}" fill="#f7f9fa"/>)"
                       "\n",
                       drawing::width, height);
    return out + text(drawing::margin, 36, title, "h1") + content + "</svg>\n";
}

}  // namespace partita::tool
