#include "run/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <system_error>

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
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const auto report = make_pipe();  // carries errno where exec fails, and closes by itself where it works
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);  // however this tool ends, QEMU does not outlive it
        if (getppid() != parent) _exit(127);
        setpgid(0, 0);  // a Ctrl-C at the terminal is the tool's to handle
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        execvp(arguments[0], arguments.data());
        const int error = errno;
        (void)!write(report[1], &error, sizeof error);
        _exit(127);
    }
    int failed = pid_ < 0 ? errno : 0;
    close(report[1]);
    if (int error = 0; pid_ > 0 && read(report[0], &error, sizeof error) == sizeof error) failed = error;
    close(report[0]);
    for (const int end : {in[0], out[1], err[1]}) close(end);
    input_ = in[1], output_ = out[0], errors_ = err[0];
    for (const int end : {output_, errors_}) fcntl(end, F_SETFL, O_NONBLOCK);
    if (failed != 0) {
        if (pid_ > 0) waitpid(pid_, nullptr, 0);
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
