#include "command/run.hpp"

#include <fmt/format.h>

#include <cstring>

#include "partita/system_image.h"
#include "trace/frames.hpp"
#include "trace/page.hpp"
#include "trace/trace.hpp"

namespace partita::tool {

namespace {

// Counting time, QEMU lets the CPUs take turns that last until the next timer of any of them. A tick on each keeps the turns short, so
// that no CPU sees its own timer late because another one had a long turn: shorter where a schedule promises something.
std::uint32_t counted_tick_us(const Plan& plan) {
    constexpr std::uint32_t usual = 500, short_turns = 10;
    return plan.schedules.empty() ? usual : short_turns;
}

}  // namespace

int command_run(const Inputs& inputs, const ImageArguments& arguments, const RunOptions& run_options) {
    const auto loaded = load(inputs);
    PackOptions options = arguments.options();
    options.framed_console = options.off_when_done = true;
    options.tick_us = run_options.deterministic ? counted_tick_us(loaded->plan) : 0;
    options.epoch = epoch(run_options.deterministic);
    const SystemImage image = build(*loaded, options);
    const Startable startable = options.in_flash ? Startable{write_flash(*loaded, image, arguments.flash)} : Startable{to_elf(image)};
    return static_cast<int>(run(loaded->plan, startable, run_options));
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
    const bool picture = output.ends_with(".svg"), page = output.ends_with(".html");
    write_text(output, picture ? frames_as_svg(loaded->plan, seen)
                       : page  ? trace_as_page(loaded->plan, events, frequency, inputs.file)
                               : trace_as_json(loaded->plan, events, frequency));
    fmt::print(stderr, "partita: {}: the last {} events{}\n", output, events.size(),
               picture ? ", as frames"
               : page  ? "; any browser opens it"
                       : "; Perfetto's viewer and chrome://tracing open it");
    if (seen.windows != 0)
        fmt::print(stderr,
                   "partita: {} windows began, the latest {:.2f} us late; outside its windows no partition had more than {:.2f} us\n",
                   seen.windows, static_cast<double>(seen.latest) * 1e6 / static_cast<double>(frequency), seen.outside);
    return static_cast<int>(verdict);
}

}  // namespace partita::tool
