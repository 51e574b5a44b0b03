// The values of a section of system.toml, each checked against its key in the schema: no key is named twice.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/description.hpp"
#include "config/schema.hpp"
#include "config/toml.hpp"
#include "config/units.hpp"

namespace partita::tool {

[[nodiscard]] inline Place place_of(const toml::source_region& source) { return {source.begin.line, source.begin.column}; }

[[nodiscard]] inline std::string_view kind_of(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::string: return "a text";
        case toml::node_type::integer: return "a whole number";
        case toml::node_type::floating_point: return "a number with a fraction";
        case toml::node_type::boolean: return "true or false";
        case toml::node_type::array: return "a list";
        case toml::node_type::table: return "a table";
        default: return "a date or time";
    }
}

// Of a choice that is not made.
[[nodiscard]] inline std::string default_of(const Key& key) {
    std::string_view text = key.fallback;
    if (text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
    return std::string{text};
}

// The values of one section, each checked against its key.
class SectionReader {
public:
    SectionReader(const Section& section, const toml::table& table, Diagnostics& diagnostics)
        : section_(section), table_(table), diagnostics_(diagnostics) {
        check_keys();
    }

    [[nodiscard]] Placed<std::string> text(std::string_view name) {
        const toml::node* const node = find(name);
        if (node == nullptr) return {std::string{}, place_of(table_.source())};
        if (const auto value = node->value<std::string>(); node->is_string()) return {*value, place_of(node->source())};
        wrong(name, *node, "a text in quotes");
        return {std::string{}, place_of(node->source())};
    }

    [[nodiscard]] Placed<std::string> choice(std::string_view name) {
        Placed<std::string> value = text(name);
        const Key& key = *find_key(section_, name);
        if (!table_.contains(name)) value.value = default_of(key);
        if (!value.value.empty()) check_choice(key, value);
        return value;
    }

    [[nodiscard]] std::optional<Placed<std::uint64_t>> quantity(std::string_view name) {
        const toml::node* const node = find(name);
        if (node == nullptr) return std::nullopt;
        const Key& key = *find_key(section_, name);
        const bool is_size = key.type == Type::size;
        if (!node->is_string()) {
            wrong(name, *node, fmt::format("a {} with its unit in quotes, like {}", is_size ? "size" : "time", key.example));
            return std::nullopt;
        }
        const std::string written = *node->value<std::string>();
        const auto value = is_size ? parse_size(written) : parse_duration(written);
        if (value) return Placed<std::uint64_t>{*value, place_of(node->source())};
        diagnostics_.error(place_of(node->source()), fmt::format("{}: {}", name, value.error()));
        return std::nullopt;
    }

    [[nodiscard]] std::optional<Placed<std::uint64_t>> number(std::string_view name) {
        const toml::node* const node = find(name);
        return node == nullptr ? std::nullopt : whole(name, *node);
    }

    [[nodiscard]] Placed<bool> flag(std::string_view name, bool otherwise = false) {
        const toml::node* const node = find(name);
        if (node == nullptr) return {otherwise, place_of(table_.source())};
        if (node->is_boolean()) return {*node->value<bool>(), place_of(node->source())};
        wrong(name, *node, "true or false, without quotes");
        return {false, place_of(node->source())};
    }

    [[nodiscard]] std::vector<Placed<std::uint64_t>> numbers(std::string_view name) {
        std::vector<Placed<std::uint64_t>> out;
        for_each(name, "a list of whole numbers, like [0, 1]", [&](const toml::node& node) {
            if (const auto value = whole(name, node)) out.push_back(*value);
        });
        return out;
    }

    [[nodiscard]] std::vector<Placed<std::string>> texts(std::string_view name) {
        std::vector<Placed<std::string>> out;
        const Key& key = *find_key(section_, name);
        if (const toml::node* const node = find(name); node != nullptr && node->is_string() && key.type == Type::text_list)
            return {{*node->value<std::string>(), place_of(node->source())}};
        for_each(name, "a list of texts, like [\"a\", \"b\"]", [&](const toml::node& node) {
            if (!node.is_string()) return wrong(name, node, "a text in quotes");
            out.push_back({*node.value<std::string>(), place_of(node.source())});
            if (key.type == Type::choice_list) check_choice(key, out.back());
        });
        return out;
    }

    [[nodiscard]] Place place() const { return place_of(table_.source()); }
    [[nodiscard]] Place place(std::string_view name) const {
        const toml::node* const node = table_.get(name);
        return node == nullptr ? place() : place_of(node->source());
    }

private:
    void check_keys() {
        std::vector<std::string> known;
        for (const Key& key : section_.keys) known.emplace_back(key.name);
        for (const auto& [key, node] : table_)
            if (find_key(section_, key.str()) == nullptr && find_section(section_, key.str()) == nullptr)
                diagnostics_.error(place_of(key.source()), fmt::format("unknown key \"{}\" in [{}]; {}", key.str(), section_.name,
                                                                       suggest(std::string{key.str()}, known)));
        for (const Key& key : section_.keys)
            if (key.required && !table_.contains(key.name))
                diagnostics_.error(place_of(table_.source()), fmt::format("this [{}] has no \"{}\"; add a line like: {} = {}",
                                                                          section_.name, key.name, key.name, key.example));
    }

    [[nodiscard]] const toml::node* find(std::string_view name) const { return table_.get(name); }

    void wrong(std::string_view name, const toml::node& node, std::string_view expected) {
        diagnostics_.error(place_of(node.source()), fmt::format("{} must be {}, but this is {}", name, expected, kind_of(node)));
    }

    void check_choice(const Key& key, const Placed<std::string>& value) {
        const auto choices = choices_of(key);
        if (std::find(choices.begin(), choices.end(), value.value) == choices.end())
            diagnostics_.error(value.place, fmt::format("{} cannot be \"{}\"; {}", key.name, value.value, suggest(value.value, choices)));
    }

    [[nodiscard]] std::optional<Placed<std::uint64_t>> whole(std::string_view name, const toml::node& node) {
        if (!node.is_integer()) {
            wrong(name, node, "a whole number without quotes");
            return std::nullopt;
        }
        const std::int64_t value = *node.value<std::int64_t>();
        if (value >= 0) return Placed<std::uint64_t>{static_cast<std::uint64_t>(value), place_of(node.source())};
        diagnostics_.error(place_of(node.source()), fmt::format("{} must not be negative", name));
        return std::nullopt;
    }

    template <typename Use>
    void for_each(std::string_view name, std::string_view expected, Use&& use) {
        const toml::node* const node = find(name);
        if (node == nullptr) return;
        if (const toml::array* const list = node->as_array())
            for (const toml::node& element : *list) use(element);
        else
            wrong(name, *node, expected);
    }

    const Section& section_;
    const toml::table& table_;
    Diagnostics& diagnostics_;
};

}  // namespace partita::tool
