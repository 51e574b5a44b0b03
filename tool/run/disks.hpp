// The disks of a board in QEMU: {disk:NAME:SIZE} in its arguments is a file.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace partita::tool {

// The arguments with a file for each disk: of `files`, or a new one in `folder`, which is empty. Throws std::runtime_error where a file
// cannot be used, or names a disk that the board does not have.
[[nodiscard]] std::vector<std::string> provide_disks(const std::vector<std::string>& arguments,
                                                     const std::map<std::string, std::filesystem::path>& files,
                                                     const std::filesystem::path& folder);

}  // namespace partita::tool
