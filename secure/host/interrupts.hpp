// A host's program has none.
#pragma once

namespace partita::secure {

class Uninterrupted {
public:
    Uninterrupted() {}
};

}  // namespace partita::secure
