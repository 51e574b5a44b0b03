// A child process with its standard streams as pipes.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace partita::tool {

class Process {
public:
    // Throws std::system_error when the program cannot be started.
    explicit Process(const std::vector<std::string>& command);
    ~Process();  // ends it
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    [[nodiscard]] int input() const { return input_; }
    [[nodiscard]] int output() const { return output_; }
    [[nodiscard]] int errors() const { return errors_; }
    // The exit status (128 + n for signal n) once it has ended.
    [[nodiscard]] std::optional<int> ended();
    void end();

private:
    pid_t pid_ = -1;
    int input_ = -1, output_ = -1, errors_ = -1;
    std::optional<int> status_;
};

}  // namespace partita::tool
