// The commands that make an image, and run it at once.
#pragma once

#include <string>

#include "command/image.hpp"
#include "command/load.hpp"
#include "command/run_options.hpp"
#include "run/run.hpp"

namespace partita::tool {

// Each returns the exit code.
[[nodiscard]] int command_run(const Inputs& inputs, const ImageArguments& arguments, const RunOptions& run_options);
// What the CPUs did last goes into the file `output`: a picture, a page or JSON, by its name.
[[nodiscard]] int command_trace(const Inputs& inputs, const std::string& output, RunOptions options);

}  // namespace partita::tool
