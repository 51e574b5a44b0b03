#include "config/schema.hpp"

#include "config/calls.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace partita::tool {
namespace {

std::string file(const char* name) {
    std::ifstream in{std::string{PARTITA_SOURCE_DIR} + "/docs/" + name};
    return {std::istreambuf_iterator<char>{in}, {}};
}

TEST(Schema, TheDocumentsAreItsOwn) {
    EXPECT_EQ(file("system-toml.md"), schema_as_markdown()) << "run: ./partita schema --markdown >docs/system-toml.md";
    EXPECT_EQ(file("system.schema.json"), schema_as_json()) << "run: ./partita schema >docs/system.schema.json";
    EXPECT_EQ(file("hypercalls.md"), hypercalls_as_markdown()) << "run: ./partita schema --hypercalls >docs/hypercalls.md";
}

TEST(Schema, EveryKeyHasADocAndAnExample) {
    for (const Section& section : schema())
        for (const Key& key : section.keys) {
            EXPECT_FALSE(key.doc.empty()) << key.name;
            EXPECT_FALSE(key.example.empty()) << key.name;
            EXPECT_EQ(key.choices.empty(), key.type != Type::choice && key.type != Type::choice_list) << key.name;
        }
}

}  // namespace
}  // namespace partita::tool
