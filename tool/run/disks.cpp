#include "run/disks.hpp"

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>

#include "config/units.hpp"

namespace partita::tool {

std::vector<std::string> provide_disks(const std::vector<std::string>& arguments, const std::map<std::string, std::filesystem::path>& files,
                                       const std::filesystem::path& folder) {
    constexpr std::string_view mark = "{disk:";
    std::vector<std::string> out;
    std::map<std::string, std::filesystem::path> known;
    for (std::string argument : arguments) {
        const std::size_t begin = argument.find(mark), end = argument.find('}', begin);
        if (begin != std::string::npos && end != std::string::npos) {
            const std::string inside = argument.substr(begin + mark.size(), end - begin - mark.size());
            const std::string name = inside.substr(0, inside.find(':'));
            const auto size = parse_size(inside.substr(std::min(inside.size(), name.size() + 1)));
            if (!size) throw std::runtime_error(fmt::format("the board's disk \"{}\" has no size: {}", name, size.error()));
            const auto given = files.find(name);
            const std::filesystem::path file = given != files.end() ? given->second : folder / (name + ".disk");
            if (given == files.end()) std::ofstream{file, std::ios::binary};
            if (!std::filesystem::is_regular_file(file))
                throw std::runtime_error(fmt::format("disk \"{}\": there is no file {}; make one, like: truncate -s 64M {}", name,
                                                     file.string(), file.string()));
            if (given == files.end()) std::filesystem::resize_file(file, *size);
            known.emplace(name, file);
            argument.replace(begin, end + 1 - begin, file.string());
        }
        out.push_back(argument);
    }
    for (const auto& [name, file] : files)
        if (!known.contains(name)) {
            std::string names;
            for (const auto& [other, ignored] : known) names += (names.empty() ? "" : ", ") + other;
            throw std::runtime_error(fmt::format("the board has no disk \"{}\"; it has {}", name, names.empty() ? "none" : names));
        }
    return out;
}

}  // namespace partita::tool
