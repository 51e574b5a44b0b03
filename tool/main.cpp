// The command line: what each command needs is put together here, and nothing is decided.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>

#include "board/board.hpp"
#include "command/image.hpp"
#include "command/load.hpp"
#include "command/manage.hpp"
#include "command/run.hpp"
#include "command/run_options.hpp"
#include "command/verify.hpp"
#include "config/calls.hpp"
#include "config/schema.hpp"
#include "pack/flash.hpp"
#include "pack/measure.hpp"
#include "pack/pack.hpp"
#include "show/notes.hpp"
#include "show/show.hpp"
#include "timing/response.hpp"

namespace {

using namespace partita::tool;
namespace fs = std::filesystem;

constexpr int bad_description = 1, bad_usage = 2;

int command_check(const Inputs& inputs) {
    const auto loaded = load(inputs);
    const std::size_t later = loaded->plan.pooled.size();
    fmt::print("{}: {} partition{}{} on board {}: nothing wrong\n{}", inputs.file, loaded->plan.partitions.size(),
               loaded->plan.partitions.size() == 1 ? "" : "s", later != 0 ? fmt::format(", {} more at run time,", later) : "",
               loaded->board.name, timing_report(loaded->plan, costs_of(loaded->board)));
    fmt::print("{}", notes_on(loaded->plan, inputs.file));
    return 0;
}

// As sha256sum writes them.
std::string measurements_of(const SystemImage& image, std::uint64_t hypervisor_base) {
    const auto measured = measure(image, hypervisor_base);
    if (!measured) throw Failure{measured.error()};
    const auto line = [](std::span<const std::uint8_t> hash, const char* name) {
        return fmt::format("{:02x}  {}\n", fmt::join(hash, ""), name);
    };
    std::string out;
    for (std::uint32_t n = 0; n < measured->count; ++n) out += line(measured->all[n].hash, measured->all[n].name);
    return out + line(measured->system, "system");
}

struct BuildArguments {
    std::string output = "system.elf", measurements;
    ImageArguments image;
    bool framed = false;

    void add_to(CLI::App& command) {
        auto* const file = command.add_option("-o,--output", output, "system.elf, or a raw system.bin")->capture_default_str();
        command.add_flag("--framed", framed, "Frame the consoles for this tool instead of prefixing lines");
        image.add_to(command)->excludes(file);
        command.add_option("--measurements", measurements, "Write what the secure partition will measure: SHA-256 and name, line by line");
    }
};

// What was written, and how a board starts it.
void tell_of_image(const SystemImage& image, const std::string& output, std::size_t size, bool binary, bool from_reset) {
    fmt::print("{}: {} bytes; load it at {:#x}{}, start at {:#x} {}, MMU and caches off\n", output, size, image.segments.front().address,
               binary ? "" : " (the ELF file says so itself)", image.entry,
               from_reset ? "from reset (all CPUs, in Secure SVC mode) or in Hyp mode" : "in Hyp mode");
}

int command_build(const Inputs& inputs, const BuildArguments& arguments) {
    const auto loaded = load(inputs);
    PackOptions options = arguments.image.options();
    options.framed_console = arguments.framed;
    options.epoch = epoch(false);
    const SystemImage image = build(*loaded, options);
    if (!arguments.measurements.empty()) write_text(arguments.measurements, measurements_of(image, loaded->plan.hypervisor_base));
    if (options.in_flash) {
        const FlashFiles files = write_flash(*loaded, image, arguments.image.flash);
        fmt::print(
            "{}: the board's flash at {:#x}, in which its CPUs begin; what the secure world keeps stays\n{}: the one at {:#x}, with the "
            "system\n",
            files.secure.string(), loaded->board.monitor->flash.begin, files.system.string(), loaded->board.monitor->system_flash.begin);
        return 0;
    }
    const bool binary = fs::path{arguments.output}.extension() == ".bin";
    const Bytes bytes = binary ? to_binary(image) : to_elf(image);
    write_file(arguments.output, bytes);
    // The monitor's begin leads on to the hypervisor where it does not begin from reset.
    tell_of_image(image, arguments.output, bytes.size(), binary, loaded->plan.monitor_base != 0);
    return 0;
}

int command_key(const std::string& file) {
    const auto key = SigningKey::make();
    if (!key) throw Failure{key.error()};
    if (fs::exists(file))
        throw Failure{fmt::format("{} is there already: a key that is lost cannot be made again; choose another name", file)};
    write_text(file, "");
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    write_text(file, *key);
    fmt::print("{}: a private key on P-256; whoever has it signs images that boards with its public half start\n", file);
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
    std::string output, trace_output = "run.json", key_file;
    BuildArguments build_arguments;
    VerifyArguments verify;
    ImageArguments image_arguments;
    bool markdown = false, hypercalls = false;
    RunArguments arguments;
    arguments.options.qemu_arguments = qemu_arguments;

    auto* const check = app.add_subcommand("check", "Check a description and say everything that is wrong with it");
    add_inputs(*check, inputs, false);
    check->callback([&] { result = command_check(inputs); });

    auto* const build_command = app.add_subcommand("build", "Make one bootable image of a system");
    add_inputs(*build_command, inputs, false);
    build_arguments.add_to(*build_command);
    build_command->callback([&] { result = command_build(inputs, build_arguments); });

    auto* const key_command = app.add_subcommand("key", "Make a private key that images are signed with");
    key_command->add_option("FILE", key_file, "The file to write, as PEM; none may be there")->required();
    key_command->callback([&] { result = command_key(key_file); });

    verify.add_to(app)->callback([&] { result = command_verify(verify); });

    auto* const run_command = app.add_subcommand("run", "Build a system and boot it in QEMU");
    add_inputs(*run_command, run_inputs, true);
    image_arguments.add_to(*run_command);
    arguments.add_to(*run_command);
    run_command->callback([&] {
        arguments.finish();
        arguments.options.name = name_of(run_inputs.file);
        result = command_run(run_inputs, image_arguments, arguments.options);
    });

    auto* const trace_command = app.add_subcommand("trace", "Run a system, and write what its CPUs did last as a trace for Perfetto");
    add_inputs(*trace_command, run_inputs, true);
    arguments.add_to(*trace_command);
    trace_command
        ->add_option(
            "-o,--output", trace_output,
            "The file to write: Chrome trace JSON, .html for a page that any browser shows, or .svg for the last frames on their windows")
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
