// Every key of system.toml, once. The checks, the reference page and the JSON schema come from this table.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace partita::tool {

enum class Type { text, path, size, duration, address, flag, choice, integer_list, text_list, choice_list };

struct Key {
    std::string_view name;
    Type type;
    bool required;
    std::string_view fallback;  // as it would be written; "" where there is none
    std::string_view choices;   // for choice and choice_list: separated by spaces
    std::string_view doc;
    std::string_view example;
};

struct Section {
    std::string_view name;  // "partition.disk" is one of a partition: [[partition.disk]] behind its [[partition]]
    bool repeated;          // [[name]]
    bool required;
    std::string_view doc;
    std::span<const Key> keys;
};

[[nodiscard]] std::span<const Section> schema();
[[nodiscard]] const Section* find_section(std::string_view name);
// The section inside another one, if there is such a one.
[[nodiscard]] const Section* find_section(const Section& outer, std::string_view name);
[[nodiscard]] const Key* find_key(const Section& section, std::string_view name);
[[nodiscard]] std::vector<std::string> choices_of(const Key& key);

// docs/system-toml.md and docs/system.schema.json.
[[nodiscard]] std::string schema_as_markdown();
[[nodiscard]] std::string schema_as_json();

}  // namespace partita::tool
