// Words that give partitions of a running system what they run.
#pragma once

#include "control/words.hpp"

namespace partita::tool {

void load_guest(Client& client, const Asked& asked);
void create_guest(Client& client, const Asked& asked);
void destroy_guest(Client& client, const Asked& asked);

}  // namespace partita::tool
