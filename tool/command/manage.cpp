#include "command/manage.hpp"

#include <string_view>

#include "control/place.hpp"

namespace partita::tool {

namespace {

void add_system(CLI::App& command, std::string& system) {
    command.add_option("--system", system,
                       "The socket of a `partita run`, or a board's serial device; the only system that runs otherwise");
}

}  // namespace

void ManageArguments::add_to(CLI::App& app) {
    for (const Word& word : words()) {
        auto* const command = app.add_subcommand(word.name, word.help);
        add_system(*command, system);
        if (word.most != 0) {
            const bool number = std::string_view{word.arguments} == "[NUMBER]";
            auto* const argument = number ? command->add_option("NUMBER", asked.arguments, "The schedule, counted from 0 as described")
                                          : command->add_option("NAME", asked.arguments, "The partition");
            argument->expected(static_cast<int>(word.least), static_cast<int>(word.most));
            if (word.least != 0) argument->required();
        }
        const std::string name = word.name;
        if (name == "events") command->add_flag("--follow", asked.follow, "Go on with what comes");
        if (name != "console") command->add_flag("--json", asked.json, "For programs");
        command->callback([this, &word] {
            Client client{reach(system)};
            word.act(client, asked);
        });
    }
    auto* const prompt = app.add_subcommand("shell", "A prompt with the words of the commands that act on a running system");
    add_system(*prompt, system);
    prompt->callback([this] {
        Client client{reach(system)};
        shell(client);
    });
}

}  // namespace partita::tool
