// `partita verify`: whether a quote is a board's, fresh, and of the system that it should be.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace partita::tool {

struct VerifyArguments {
    std::string quote, key, nonce, measurements;

    CLI::App* add_to(CLI::App& app);
};

// Prints what the quote says. Throws Failure where it is not to be believed.
int command_verify(const VerifyArguments& arguments);

}  // namespace partita::tool
