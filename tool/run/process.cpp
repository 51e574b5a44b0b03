#include "run/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <system_error>

extern char** environ;

namespace partita::tool {

namespace {

std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    return ends;
}

}  // namespace

Process::Process(const std::vector<std::string>& command) {
    const auto in = make_pipe(), out = make_pipe(), err = make_pipe();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);  // a Ctrl-C at the terminal is ours to handle
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const int failed = posix_spawnp(&pid_, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    for (const int end : {in[0], out[1], err[1]}) close(end);
    input_ = in[1], output_ = out[0], errors_ = err[0];
    for (const int end : {output_, errors_}) fcntl(end, F_SETFL, O_NONBLOCK);
    if (failed != 0) {
        pid_ = -1;
        for (const int end : {input_, output_, errors_}) close(end);
        throw std::system_error(failed, std::generic_category(), command[0]);
    }
}

Process::~Process() {
    end();
    for (const int descriptor : {input_, output_, errors_}) close(descriptor);
}

std::optional<int> Process::ended() {
    if (status_) return status_;
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return status_;
}

void Process::end() {
    if (pid_ < 0 || ended()) return;
    kill(pid_, SIGKILL);
    int status = 0;
    waitpid(pid_, &status, 0);
    status_ = 128 + SIGKILL;
}

}  // namespace partita::tool
