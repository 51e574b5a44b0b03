// A change of a partition's state: asked for, and waited for.
#pragma once

#include "control/client.hpp"

namespace partita::tool {

struct Change {
    partita_control action;
    std::uint32_t wanted;  // the phase in which it is done
    const char* done;
};

inline constexpr Change start_it{PARTITA_CONTROL_START, PARTITA_PHASE_RUNNING, "started"};
inline constexpr Change stop_it{PARTITA_CONTROL_STOP, PARTITA_PHASE_OFF, "stopped"};
inline constexpr Change pause_it{PARTITA_CONTROL_PAUSE, PARTITA_PHASE_PAUSED, "paused"};
inline constexpr Change resume_it{PARTITA_CONTROL_RESUME, PARTITA_PHASE_RUNNING, "resumed"};
inline constexpr Change restart_it{PARTITA_CONTROL_RESTART, PARTITA_PHASE_RUNNING, "restarted"};

// How the partition is afterwards. Throws std::runtime_error in words: it is in no state for it, or takes too long.
[[nodiscard]] RunningPartition make(Client& client, const RunningPartition& before, const Change& change);

}  // namespace partita::tool
