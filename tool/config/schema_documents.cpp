// The reference page and the JSON schema, from the table of keys.
#include <fmt/format.h>

#include "config/schema.hpp"

namespace partita::tool {

namespace {

std::string_view type_name(Type type) {
    switch (type) {
        case Type::text: return "text";
        case Type::path: return "path, relative to the file";
        case Type::size: return "size with unit (B, KiB, MiB, GiB)";
        case Type::duration: return "time with unit (ns, us, ms, s)";
        case Type::address: return "whole number";
        case Type::flag: return "true or false";
        case Type::choice: return "one of";
        case Type::integer_list: return "list of whole numbers";
        case Type::text_list: return "list of texts, or one text";
        case Type::choice_list: return "list of";
    }
    return "";
}

std::string as_json_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

std::string enumeration(const Key& key) {
    std::string out;
    for (const std::string& choice : choices_of(key)) out += fmt::format("{}{}", out.empty() ? "" : ", ", as_json_text(choice));
    return "[" + out + "]";
}

std::string json_type(const Key& key) {
    switch (key.type) {
        case Type::text:
        case Type::path: return R"("type": "string")";
        case Type::size: return R"("type": "string", "pattern": "^[0-9]+ *(B|KiB|MiB|GiB)$")";
        case Type::duration: return R"("type": "string", "pattern": "^[0-9]+ *(ns|us|ms|s)$")";
        case Type::address: return R"("type": "integer", "minimum": 0)";
        case Type::flag: return R"("type": "boolean")";
        case Type::choice: return fmt::format(R"("enum": {})", enumeration(key));
        case Type::integer_list: return R"("type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1)";
        case Type::text_list: return R"("type": ["array", "string"], "items": {"type": "string"})";
        case Type::choice_list: return fmt::format(R"("type": "array", "items": {{"enum": {}}})", enumeration(key));
    }
    return "";
}

}  // namespace

std::string schema_as_markdown() {
    std::string out =
        "# `system.toml`: every key\n\n"
        "This page is made by `partita schema --markdown` from the table that the checks use, so it cannot differ from them.\n"
        "Sizes and times always carry a unit. Paths are relative to the file. Editors that know JSON schemas complete the keys with "
        "[`system.schema.json`](system.schema.json).\n";
    for (const Section& section : schema()) {
        out += fmt::format("\n## `{}{}{}`\n\n{} {}\n", section.repeated ? "[[" : "[", section.name, section.repeated ? "]]" : "]",
                           section.doc, section.repeated ? "One section for each." : "");
        for (const Key& key : section.keys) {
            std::string type{type_name(key.type)};
            if (!key.choices.empty())
                for (const std::string& choice : choices_of(key)) type += fmt::format(" `\"{}\"`", choice);
            const std::string need = key.required           ? "required"
                                     : key.fallback.empty() ? "optional"
                                                            : fmt::format("default `{}`", key.fallback);
            out +=
                fmt::format("\n### `{}`\n\n*{}; {}.* {}\n\n```toml\n{} = {}\n```\n", key.name, type, need, key.doc, key.name, key.example);
        }
    }
    return out;
}

namespace {

// One section as a JSON object, with those inside it.
std::string object_of(const Section& section) {
    std::string required, properties;
    const auto add = [&](std::string_view name, const std::string& text) {
        properties += fmt::format("{}        {}: {}", properties.empty() ? "" : ",\n", as_json_text(name), text);
    };
    for (const Key& key : section.keys) {
        if (key.required) required += fmt::format("{}{}", required.empty() ? "" : ", ", as_json_text(key.name));
        add(key.name, fmt::format("{{{}, \"description\": {}}}", json_type(key), as_json_text(key.doc)));
    }
    for (const Section& inner : schema())
        if (inner.name.starts_with(section.name) && inner.name.substr(section.name.size()).starts_with('.'))
            add(inner.name.substr(section.name.size() + 1), object_of(inner));
    const std::string object = fmt::format(
        "{{\n      \"type\": \"object\", \"additionalProperties\": false, \"required\": [{}], \"description\": {},\n      "
        "\"properties\": {{\n{}\n      }}\n    }}",
        required, as_json_text(section.doc), properties);
    return section.repeated ? fmt::format("{{\"type\": \"array\", \"items\": {}}}", object) : object;
}

}  // namespace

std::string schema_as_json() {
    std::string out =
        "{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n  \"title\": \"Partita system description\",\n  \"type\": "
        "\"object\",\n"
        "  \"additionalProperties\": false,\n  \"required\": [\"system\", \"partition\"],\n  \"properties\": {\n";
    std::string objects;
    for (const Section& section : schema())
        if (!section.name.contains('.'))
            objects += fmt::format("{}    {}: {}", objects.empty() ? "" : ",\n", as_json_text(section.name), object_of(section));
    return out + objects + "\n  }\n}\n";
}

}  // namespace partita::tool
