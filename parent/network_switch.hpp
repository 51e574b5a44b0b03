// A switch between partitions, and a network outside: frames go to whom they are for. Each port of a partition has its address, which
// nobody else can send from; behind a port that may have any, and behind the uplink, addresses are learned.
#pragma once

#include <array>
#include <cstdint>

#include "partita/guest/virtio/frame.hpp"
#include "partita/guest/virtio/network.hpp"

namespace partita::parent {

using virtio::MacAddress;

struct PortCounters {
    std::uint64_t sent_frames, sent_bytes;  // by the port's partition
    std::uint64_t received_frames, received_bytes;
    std::uint64_t no_room;    // for it, lost: it had no buffers
    std::uint64_t foreign;    // of it, dropped: from an address that is not its own
    std::uint64_t malformed;  // ... that are no frames
    std::uint64_t delayed;    // how often it had to wait for its rate
};

class SwitchPort {
public:
    // Gives it a frame. False: it had no room.
    [[nodiscard]] virtual bool deliver(const virtio::Frame& frame) = 0;
    // Frames were delivered since the last time: whoever is behind it is to be told.
    virtual void delivered() = 0;

protected:
    ~SwitchPort() = default;
};

struct PortRules {
    MacAddress mac{};
    bool any_mac = false;     // it may send from any address that is no other port's: a bridge is behind it, or the network outside
    bool uplink = false;      // the network outside, which all groups reach
    std::uint32_t group = 0;  // ports of different groups do not reach each other
    std::uint64_t rate = 0;   // bytes in a second that it may send; 0: any
};

class Switch {
public:
    static constexpr std::uint32_t most_ports = 16;
    enum class Sent : std::uint8_t { done, wait };

    explicit constexpr Switch(std::uint32_t ticks_per_second = 0) : frequency_(ticks_per_second) {}

    // Its number; most_ports: there is no room for it.
    [[nodiscard]] std::uint32_t add(SwitchPort& port, const PortRules& rules);
    // A frame that a port sends, at a time in ticks. wait: its rate does not allow it before ready_at().
    [[nodiscard]] Sent send(std::uint32_t port, const virtio::Frame& frame, std::uint64_t now);
    [[nodiscard]] std::uint64_t ready_at(std::uint32_t port) const { return ports_[port].ready_at; }
    void malformed(std::uint32_t port) { ++ports_[port].counters.malformed; }
    // Tells all that got frames since the last time.
    void conclude();
    [[nodiscard]] const PortCounters& counters(std::uint32_t port) const { return ports_[port].counters; }
    [[nodiscard]] std::uint32_t ports() const { return count_; }

private:
    struct Port {
        SwitchPort* port;
        PortRules rules;
        PortCounters counters;
        std::uint64_t credit_at;  // when its credit was counted last
        std::uint64_t credit;     // bytes times ticks in a second
        std::uint64_t ready_at;
        bool touched;
    };
    // Where an address was last seen.
    struct Learned {
        MacAddress mac;
        std::uint8_t port;
        bool known;
        std::uint64_t seen_at;
    };
    static constexpr std::uint32_t table_size = 256, most_probes = 4, forgotten_after = 300;  // entries, entries, seconds

    [[nodiscard]] bool may_send(Port& port, std::uint32_t size, std::uint64_t now);
    [[nodiscard]] bool owns(const Port& port, const MacAddress& mac) const;
    [[nodiscard]] std::uint32_t find_owner(const MacAddress& mac) const;
    void learn(std::uint32_t port, const MacAddress& mac, std::uint64_t now);
    [[nodiscard]] std::uint32_t find_learned(const MacAddress& mac, std::uint64_t now) const;
    [[nodiscard]] static std::uint32_t slot(const MacAddress& mac);
    [[nodiscard]] bool reaches(const Port& from, const Port& to) const;
    void deliver(std::uint32_t from, std::uint32_t to, const virtio::Frame& frame);

    std::uint32_t frequency_ = 0, count_ = 0;
    std::array<Port, most_ports> ports_{};
    std::array<Learned, table_size> learned_{};
};

}  // namespace partita::parent
