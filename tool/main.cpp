// The command line: what each command needs is put together here, and nothing is decided.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "board/board.hpp"
#include "command/load.hpp"
#include "command/manage.hpp"
#include "command/run_options.hpp"
#include "config/calls.hpp"
#include "config/schema.hpp"
#include "pack/pack.hpp"
#include "partita/system_image.h"
#include "run/run.hpp"
#include "show/show.hpp"
#include "timing/response.hpp"
#include "trace/frames.hpp"
#include "trace/trace.hpp"

namespace {

using namespace partita::tool;
namespace fs = std::filesystem;

constexpr int bad_description = 1, bad_usage = 2;

// Seconds since 1970 now; in a deterministic run, when its board's clock begins (run/qemu.cpp).
std::uint32_t epoch(bool deterministic) {
    constexpr std::uint32_t begin_of_2026 = 1'767'225'600;
    return deterministic ? begin_of_2026 : static_cast<std::uint32_t>(std::time(nullptr));
}

int command_check(const Inputs& inputs) {
    const auto loaded = load(inputs);
    const std::size_t later = loaded->plan.pooled.size();
    fmt::print("{}: {} partition{}{} on board {}: nothing wrong\n{}", inputs.file, loaded->plan.partitions.size(),
               loaded->plan.partitions.size() == 1 ? "" : "s", later != 0 ? fmt::format(", {} more at run time,", later) : "",
               loaded->board.name, timing_report(loaded->plan, costs_of(loaded->board)));
    return 0;
}

int command_build(const Inputs& inputs, const std::string& output, bool framed) {
    const auto loaded = load(inputs);
    const SystemImage image = build(*loaded, {.framed_console = framed, .off_when_done = false, .epoch = epoch(false)});
    const bool binary = fs::path{output}.extension() == ".bin";
    const Bytes bytes = binary ? to_binary(image) : to_elf(image);
    write_file(output, bytes);
    const bool from_reset = loaded->plan.monitor_base != 0;  // the monitor's begin leads on to the hypervisor where that is not so
    fmt::print("{}: {} bytes; load it at {:#x}{}, start at {:#x} {}, MMU and caches off\n", output, bytes.size(),
               image.segments.front().address, binary ? "" : " (the ELF file says so itself)", image.entry,
               from_reset ? "from reset (all CPUs, in Secure SVC mode) or in Hyp mode" : "in Hyp mode");
    return 0;
}

int command_show(const Inputs& inputs, const std::string& output) {
    const auto loaded = load(inputs);
    if (output.empty())
        fmt::print("{}", show_text(loaded->plan));
    else
        write_text(output, show_svg(loaded->plan));
    return 0;
}

// Counting time, QEMU lets the CPUs take turns that last until the next timer of any of them. A tick on each keeps the turns short, so
// that no CPU sees its own timer late because another one had a long turn: shorter where a schedule promises something.
std::uint32_t counted_tick_us(const Plan& plan) {
    constexpr std::uint32_t usual = 500, short_turns = 10;
    return plan.schedules.empty() ? usual : short_turns;
}

int command_run(const Inputs& inputs, const RunOptions& options) {
    const auto loaded = load(inputs);
    const std::uint32_t tick_us = options.deterministic ? counted_tick_us(loaded->plan) : 0;
    const SystemImage image =
        build(*loaded, {.framed_console = true, .off_when_done = true, .tick_us = tick_us, .epoch = epoch(options.deterministic)});
    return static_cast<int>(run(loaded->plan, to_elf(image), options));
}

int command_trace(const Inputs& inputs, const std::string& output, RunOptions options) {
    const auto loaded = load(inputs);
    write_text(output, "");  // before the run, not after it, is the time to learn that it cannot be written
    const std::uint32_t tick_us = options.deterministic ? counted_tick_us(loaded->plan) : 0;
    const SystemImage image = build(*loaded, {.framed_console = true,
                                              .off_when_done = true,
                                              .tick_us = tick_us,
                                              .epoch = epoch(options.deterministic),
                                              .trace_bytes = std::uint64_t{128} << 10});
    partita_image_header header{};
    std::memcpy(&header, image.description.data(), sizeof header);
    Bytes rings;
    options.dump_address = header.trace_base;
    options.dump_size = header.trace_size * header.cpus.count;
    options.dump = &rings;
    const Verdict verdict = run(loaded->plan, to_elf(image), options);
    if (verdict == Verdict::qemu_died) return static_cast<int>(verdict);
    const auto events = read_trace(rings, header.trace_size);
    const std::uint64_t frequency = loaded->board.qemu.frequency;
    const SeenSchedule seen = frames_of(loaded->plan, events, frequency);
    const bool picture = output.ends_with(".svg");
    write_text(output, picture ? frames_as_svg(loaded->plan, seen) : trace_as_json(loaded->plan, events, frequency));
    fmt::print(stderr, "partita: {}: the last {} events{}\n", output, events.size(),
               picture ? ", as frames" : "; Perfetto's viewer and chrome://tracing open it");
    if (seen.windows != 0)
        fmt::print(stderr,
                   "partita: {} windows began, the latest {:.2f} us late; outside its windows no partition had more than {:.2f} us\n",
                   seen.windows, static_cast<double>(seen.latest) * 1e6 / static_cast<double>(frequency), seen.outside);
    return static_cast<int>(verdict);
}

// Of a system, by where it is described: system.toml of a folder is the folder's.
std::string name_of(const std::string& file) {
    const fs::path path = fs::absolute(file).lexically_normal();
    return path.stem() == "system" ? path.parent_path().filename().string() : path.stem().string();
}

int command_boards() {
    const fs::path boards = home() / "boards";
    for (const std::string& name : board_names(boards))
        if (const auto board = load_board(name, boards, PARTITA_BOARD_TREES)) fmt::print("{:<12} {}\n", name, board->summary);
    return 0;
}

void add_inputs(CLI::App& command, Inputs& inputs, bool optional) {
    auto* const file = command.add_option("system.toml", inputs.file, "The description of the system");
    if (optional)
        inputs.file = (home() / "examples/consolidation/system.toml").lexically_relative(fs::current_path()).string();
    else
        file->required();
    command.add_option("--board", inputs.board, "Another board than the description names");
}

int dispatch(int argc, char** argv) {
    const std::vector<std::string> qemu_arguments = take_qemu_arguments(argc, argv);
    CLI::App app{"Partita: operating systems side by side on one 32-bit Arm SoC"};
    app.set_version_flag("--version", std::string{"partita 0.1.0"});
    app.require_subcommand(1);
    int result = 0;
    Inputs inputs, run_inputs;
    std::string output, image_output = "system.elf", trace_output = "run.json";
    bool framed = false, markdown = false, hypercalls = false;
    RunArguments arguments;
    arguments.options.qemu_arguments = qemu_arguments;

    auto* const check = app.add_subcommand("check", "Check a description and say everything that is wrong with it");
    add_inputs(*check, inputs, false);
    check->callback([&] { result = command_check(inputs); });

    auto* const build_command = app.add_subcommand("build", "Make one bootable image of a system");
    add_inputs(*build_command, inputs, false);
    build_command->add_option("-o,--output", image_output, "system.elf, or a raw system.bin")->capture_default_str();
    build_command->add_flag("--framed", framed, "Frame the consoles for this tool instead of prefixing lines");
    build_command->callback([&] { result = command_build(inputs, image_output, framed); });

    auto* const run_command = app.add_subcommand("run", "Build a system and boot it in QEMU");
    add_inputs(*run_command, run_inputs, true);
    arguments.add_to(*run_command);
    run_command->callback([&] {
        arguments.finish();
        arguments.options.name = name_of(run_inputs.file);
        result = command_run(run_inputs, arguments.options);
    });

    auto* const trace_command = app.add_subcommand("trace", "Run a system, and write what its CPUs did last as a trace for Perfetto");
    add_inputs(*trace_command, run_inputs, true);
    arguments.add_to(*trace_command);
    trace_command
        ->add_option("-o,--output", trace_output, "The file to write: Chrome trace JSON, or .svg for the last frames on their windows")
        ->capture_default_str();
    trace_command->callback([&] {
        arguments.finish();
        result = command_trace(run_inputs, trace_output, arguments.options);
    });

    auto* const show = app.add_subcommand("show", "Draw who owns memory, processors, devices and interrupts");
    add_inputs(*show, inputs, false);
    show->add_option("-o,--output", output, "Write a picture (SVG) instead of text");
    show->callback([&] { result = command_show(inputs, output); });

    ManageArguments manage;
    manage.add_to(app);

    app.add_subcommand("boards", "List the boards")->callback([&] { result = command_boards(); });

    auto* const schema_command = app.add_subcommand("schema", "Print every key of system.toml, as JSON schema");
    schema_command->add_flag("--markdown", markdown, "As the reference page");
    schema_command->add_flag("--hypercalls", hypercalls, "The reference page of the hypercalls instead");
    schema_command->callback([&] {
        fmt::print("{}", hypercalls ? hypercalls_as_markdown() : markdown ? schema_as_markdown() : schema_as_json());
    });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : bad_usage;
    }
    return result;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return dispatch(argc, argv);
    } catch (const Failure& failure) {
        fmt::print(stderr, "{}{}", failure.message, failure.message.ends_with('\n') ? "" : "\n");
    } catch (const std::exception& error) {
        fmt::print(stderr, "partita: {}\n", error.what());
    }
    return bad_description;
}
