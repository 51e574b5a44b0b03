// What is on its way to the board.
#pragma once

#include <poll.h>

#include <string>

namespace partita::tool {

// A board that takes nothing, while it waits for its own output to be read say, is not waited for.
class BoardInput {
public:
    // descriptor: of a pipe or a device; it does not block any more.
    explicit BoardInput(int descriptor);

    void put(const std::string& text);
    void flush();
    // Whether more may come.
    [[nodiscard]] bool has_room() const;
    // What is to be waited for.
    [[nodiscard]] pollfd source() const;

private:
    int descriptor_;
    std::string waiting_;
};

}  // namespace partita::tool
