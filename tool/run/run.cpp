#include "run/run.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "run/board_input.hpp"
#include "run/demux.hpp"
#include "control/place.hpp"
#include "run/disks.hpp"
#include "run/hub.hpp"
#include "run/monitor.hpp"
#include "run/process.hpp"
#include "run/qemu.hpp"
#include "run/secure_console.hpp"
#include "run/terminal.hpp"

namespace partita::tool {

namespace {

using Clock = std::chrono::steady_clock;

volatile std::sig_atomic_t interrupted = 0;

// What is there for this run alone.
class Folder {
public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "partita-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a folder for the image in " + pattern);
        path_ = pattern;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

std::vector<std::string> provide(const Startable& image, const Folder& folder) {
    if (const auto* const flash = std::get_if<FlashFiles>(&image)) return image_argument(*flash, folder.path());
    const Bytes& bytes = std::get<Bytes>(image);
    const auto path = folder.path() / "system.elf";
    std::ofstream out{path, std::ios::binary};
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!out.flush()) throw std::runtime_error("cannot write " + path.string() + "; is the disk full?");
    return image_argument(path);
}

// Reads what there is; false at the end of the stream.
bool read_some(int descriptor, std::string& out) {
    std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t n = read(descriptor, buffer.data(), buffer.size());
        if (n > 0) out.append(buffer.data(), static_cast<std::size_t>(n));
        if (n == 0) return false;
        if (n < static_cast<ssize_t>(buffer.size())) return true;
    }
}

class Runner {
public:
    Runner(const Plan& plan, const RunOptions& options, Process& qemu, SecureConsole* secure)
        : options_(options),
          qemu_(qemu),
          secure_(secure),
          input_(qemu.input()),
          session_(plan, options.until),
          demux_([this](std::uint32_t channel, char byte) { on_byte(channel, byte); }) {
        open_hub();
        session_.flush_by_others(options.deterministic);
        if (isatty(0) != 0 && isatty(1) != 0) terminal_ = std::make_unique<Terminal>(session_);
    }

    Verdict watch() {
        const auto begin = Clock::now();
        for (;;) {
            if (interrupted != 0) return end(Verdict::failed, "interrupted");
            if (options_.timeout && Clock::now() - begin > *options_.timeout)
                return end(Verdict::timed_out, fmt::format("timed out after {} s{}", options_.timeout->count(),
                                                           session_.waiting() != 0 ? "; not seen: " + session_.missing() : std::string{}));
            if (const auto verdict = step()) return *verdict;
        }
    }

    [[nodiscard]] bool all_off() const { return session_.done(); }

private:
    // One round of waiting and reading; a verdict when the run is over.
    std::optional<Verdict> step() {
        std::vector<pollfd> sources{pollfd{qemu_.output(), POLLIN, 0}, pollfd{qemu_.errors(), POLLIN, 0},
                                    pollfd{input_open_ && input_.has_room() ? 0 : -1, POLLIN, 0}, input_.source()};
        if (secure_ != nullptr) sources.push_back(secure_->source());
        if (hub_ && input_.has_room()) hub_->add_sources(sources);
        poll(sources.data(), sources.size(), 50);
        input_.flush();
        std::string output;
        const bool open = read_some(qemu_.output(), output);
        serve_hub(output);
        for (const char& byte : output) {
            demux_.feed({&byte, 1});
            if (finished_) break;
        }
        hear_secure_world();
        (void)read_some(qemu_.errors(), complaints_);
        if (session_.panicked()) return end(Verdict::panicked, "the hypervisor panicked");
        if (session_.satisfied()) return end(Verdict::passed, "");
        if (!options_.deterministic) session_.flush(Clock::now());
        if (session_.satisfied()) return end(Verdict::passed, "");
        if ((sources[2].revents & (POLLIN | POLLHUP)) != 0 && !take_input()) return end(Verdict::passed, "");
        const bool paused_soon = options_.dump != nullptr && session_.done();  // QEMU does not end then
        if (!open || qemu_.ended() || paused_soon) return ended();
        return std::nullopt;
    }

    // A system that nobody else can reach runs all the same, unless a place was asked for.
    void open_hub() {
        try {
            hub_.emplace(options_.socket.empty() ? own_socket(options_.name) : options_.socket);
        } catch (const std::exception& error) {
            if (!options_.socket.empty()) throw;
            fmt::print(stderr, "partita: {}; so `partita ps` and others cannot reach this system\n", error.what());
        }
    }

    void serve_hub(const std::string& output) {
        if (!hub_) return;
        hub_->broadcast(output);
        if (input_.has_room()) input_.put(hub_->collect());
    }

    void hear_secure_world() {
        if (secure_ == nullptr) return;
        for (const char byte : secure_->read()) on_byte(session_.secure_channel(), byte);
    }

    void on_byte(std::uint32_t channel, char byte) {
        if (finished_) return;
        finished_ = session_.receive(channel, byte);
        if (terminal_ == nullptr) return;
        if (channel != 0) terminal_->show(channel, byte);
        if (const std::string log = session_.take_log(); !log.empty()) terminal_->show_log(log);
    }

    // False when the user leaves.
    bool take_input() {
        std::array<char, 256> keys{};
        const ssize_t n = read(0, keys.data(), keys.size());
        if (n <= 0) {
            input_open_ = false;
            return terminal_ == nullptr;
        }
        const std::string text{keys.data(), static_cast<std::size_t>(n)};
        if (terminal_ != nullptr) {
            const auto send = terminal_->typed(text);
            if (!send) return false;
            if (!send->empty() && !is_secure(terminal_->focus())) input_.put(to_channel(terminal_->focus(), *send));
            return true;
        }
        lines_ += text;
        for (std::size_t end = lines_.find('\n'); end != std::string::npos; end = lines_.find('\n')) {
            send_line(lines_.substr(0, end));
            lines_.erase(0, end + 1);
        }
        return true;
    }

    // `[partition] text` on standard input goes to that partition's console.
    void send_line(const std::string& line) {
        const std::size_t end = line.find("] ");
        const auto& consoles = session_.consoles();
        for (std::uint32_t n = 1; n < consoles.size(); ++n)
            if (!is_secure(n) && end != std::string::npos && line.substr(0, end) == "[" + consoles[n].name)
                return input_.put(to_channel(n, line.substr(end + 2) + "\n"));
        fmt::print(stderr, "partita: input must be lines like \"[{}] text\"\n", consoles[1].name);
    }

    // Nothing is sent to it.
    [[nodiscard]] bool is_secure(std::uint32_t channel) const { return channel == session_.secure_channel(); }

    Verdict ended() {
        const int status = qemu_.ended().value_or(0);
        fmt::print(stderr, "{}", complaints_in(complaints_));
        if (session_.done() && session_.waiting() == 0) return end(Verdict::passed, "");
        if (session_.done()) return end(Verdict::failed, fmt::format("all partitions are off; not seen: {}", session_.missing()));
        return end(Verdict::qemu_died, fmt::format("QEMU ended by itself with status {}", status));
    }

    Verdict end(Verdict verdict, const std::string& why) {
        session_.flush_all();
        terminal_.reset();
        if (!why.empty()) fmt::print(stderr, "partita: {}\n", why);
        return verdict;
    }

    const RunOptions& options_;
    Process& qemu_;
    SecureConsole* secure_;  // none: the board has no such UART
    BoardInput input_;
    std::optional<Hub> hub_;  // none: there is no place for its socket
    Session session_;
    Demux demux_;
    std::unique_ptr<Terminal> terminal_;
    std::string complaints_, lines_;
    bool input_open_ = true;
    bool finished_ = false;
};

}  // namespace

Verdict run(const Plan& plan, const Startable& image, const RunOptions& options) {
    const Folder folder;
    const std::vector<std::string> start = provide(image, folder);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGINT, [](int) { interrupted = 1; });
    std::signal(SIGTERM, [](int) { interrupted = 1; });
    std::vector<std::string> more = provide_disks(plan.board->qemu.arguments, options.disks, folder.path());
    more.insert(more.end(), options.qemu_arguments.begin(), options.qemu_arguments.end());
    const std::filesystem::path socket = folder.path() / "monitor", memory = folder.path() / "memory";
    if (options.dump != nullptr) {
        // QEMU waits when the board powers off, so that its memory can be read.
        const std::string where = fmt::format("unix:{},server=on,wait=off", socket.string());
        more.insert(more.end(), {"-qmp", where, "-action", "shutdown=pause"});
    }
    std::optional<SecureConsole> secure;
    if (plan.board->monitor) {
        const auto arguments = secure.emplace(folder.path() / "secure").qemu_arguments();
        more.insert(more.end(), arguments.begin(), arguments.end());
    }
    Process qemu{qemu_command(*plan.board, start, {options.deterministic, more})};
    Runner runner{plan, options, qemu, secure ? &*secure : nullptr};
    const Verdict verdict = runner.watch();
    if (options.dump != nullptr && verdict != Verdict::qemu_died) {
        Monitor monitor{socket};
        if (runner.all_off()) monitor.wait_for_power_off();  // so that what it did last is in its memory
        *options.dump = monitor.memory(options.dump_address, options.dump_size, memory);
    }
    return verdict;
}

}  // namespace partita::tool
