// How partitions ended, in memory that the parent partition's lives leave as it is, so that its own ends are told too; and what becomes of
// those that are off because they failed: they are started again, later each time.
#pragma once

#include <cstdint>

#include "partita/control.h"
#include "partita/frame.hpp"

namespace partita::parent {

class History {
public:
    static constexpr std::uint32_t most_partitions = 8;

    // What of the counter a second is.
    explicit History(std::uint32_t frequency) : frequency_(frequency) {}

    // `page`: of memory that the lives leave as it is; zero at boot. Without it nothing is kept, and nobody started.
    void open(std::uint8_t* page);
    // After how many milliseconds a partition that failed is started again; 0: never. Longer each time that it fails within that time.
    void restart_after(std::uint32_t partition, std::uint32_t milliseconds);

    // Notes what has ended, and starts what is due. When it wants to look again, by the counter; 0: when there is news.
    std::uint64_t look(std::uint64_t now);
    // It is not started again by itself. Whether it would have been.
    bool stay_off(std::uint32_t partition);
    // A partita_history.
    void tell(control::Writer& out, std::uint32_t partition, std::uint64_t now) const;

private:
    struct Record {
        std::uint32_t life;  // the last that was seen; 0: none yet
        std::uint32_t is_off;
        std::uint32_t ends;      // of its lives, since boot
        std::uint32_t failures;  // in a row: how many waits there were
        std::uint64_t begun;     // this life, as far as is known
        std::uint64_t due;       // when it is started; 0: it is not
        partita_end end[PARTITA_HISTORY];
    };
    struct Kept {
        std::uint32_t magic, unused;
        Record records[most_partitions];
    };

    void note(Record& record, std::uint32_t reason, std::uint64_t now) const;
    void plan(Record& record, std::uint32_t partition, const partita_partition_state& state, std::uint64_t now) const;
    void start(Record& record, std::uint32_t partition, const partita_partition_state& state, std::uint64_t now) const;
    // In ticks, after so many failures in a row before.
    [[nodiscard]] std::uint64_t wait(std::uint32_t partition, std::uint32_t failures) const;

    Kept* kept_ = nullptr;
    std::uint32_t frequency_;
    std::uint32_t after_[most_partitions]{};
};

}  // namespace partita::parent
