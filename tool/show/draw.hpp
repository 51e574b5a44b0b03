// The few shapes that the pictures (SVG) are made of.
#pragma once

#include <string>

namespace partita::tool {

namespace drawing {
inline constexpr int width = 960, margin = 32;
}

[[nodiscard]] std::string colour(int partition);
[[nodiscard]] std::string box(int x, int y, int w, int h, const std::string& fill, const char* more = "");
// Without a border, and to a fraction of a point: for what is drawn to scale.
[[nodiscard]] std::string bar(double x, double y, double w, double h, const std::string& fill, const char* more = "");
[[nodiscard]] std::string text(int x, int y, const std::string& words, const char* style = "", const char* anchor = "start");
// The whole: what it is called, and what it is for those who cannot see it.
[[nodiscard]] std::string picture(const std::string& title, const std::string& label, int height, const std::string& content);

}  // namespace partita::tool
