#include "control/guests.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "boot/image_check.hpp"
#include "config/units.hpp"
#include "control/change.hpp"
#include "control/report.hpp"

namespace partita::tool {

namespace {

template <typename... Arguments>
[[noreturn]] void fail(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    throw std::runtime_error(fmt::format(text, std::forward<Arguments>(arguments)...));
}

[[nodiscard]] bool is(const RunningPartition& partition, std::uint32_t flag) { return (partition.state.is & flag) != 0; }

void tell(const Asked& asked, const RunningPartition& partition, const std::string& done) {
    fmt::print("{}", asked.json ? list_as_json({partition}) : fmt::format("{}: {}\n", partition.name(), done));
    std::fflush(stdout);
}

// How far it is, for who sits before it.
class Progress {
public:
    explicit Progress(std::size_t all) : all_(all), shown_(isatty(2) != 0 && all > std::size_t{64} * PARTITA_CONTROL_PUT) {}
    ~Progress() {
        if (shown_) fmt::print(stderr, "\r\033[K");
    }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void at(std::size_t done) {
        const std::size_t percent = done * 100 / all_;
        if (shown_ && percent != last_) fmt::print(stderr, "\r{} %", percent), std::fflush(stderr);
        last_ = percent;
    }

private:
    std::size_t all_, last_ = ~std::size_t{0};
    bool shown_;
};

[[noreturn]] void refuse_room(std::size_t bytes, std::uint32_t room) {
    if (room == 0) fail("nothing can arrive at run time: the parent partition has no store, or it is full; give [pool] a larger store");
    fail("{} do not fit into the parent partition's store, which has room for {}; destroy a partition, or give [pool] a larger store",
         format_size(bytes), format_size(room));
}

// Sends it, and gives it to the partition, which is off. Until the last step nothing has changed.
void send(Client& client, const RunningPartition& partition, const Bytes& bytes) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    const partita_reserved place = client.reserve(partition.number, size);
    if (place.offset == 0) refuse_room(bytes.size(), place.room);
    Progress progress{bytes.size()};
    for (std::uint32_t done = 0; done < size;) {
        const std::uint32_t part = std::min(size - done, PARTITA_CONTROL_PUT);
        client.put(place.offset + done, std::span{bytes}.subspan(done, part));
        done += part;
        progress.at(done);
    }
    const Given given = client.give(partition.number, place.offset);
    if (given.result == PSCI_SUCCESS) return;
    if (given.result == PSCI_INVALID_PARAMETERS) fail("the hypervisor refuses it: {}", describe(static_cast<ImageFault>(given.fault)));
    if (given.result == PARTITA_WRONG_STATE || given.result == PARTITA_BUSY)
        fail("\"{}\" was started meanwhile; stop it, and load again", partition.name());
    fail("\"{}\" cannot be given anything: {}", partition.name(), given.result);
}

// All but what it runs is decided at boot.
void require_fit(const RunningPartition& partition, const GuestToSend& guest, const std::string& name, const std::string& file) {
    const partita_partition_state& state = partition.state;
    if (guest.pooled && (guest.memory > state.memory || guest.vcpus > state.vcpus))
        fail("\"{}\" is to have {} KiB and {} virtual CPUs; a place of the running system's pool has {} KiB and {}", name, guest.memory,
             guest.vcpus, state.memory, state.vcpus);
    if (guest.pooled) return;
    if (state.memory != guest.memory)
        fail("in {} the regions of \"{}\" have {} KiB, and in the running system {} KiB: that is decided at boot", file, partition.name(),
             guest.memory, state.memory);
    if (state.vcpus != guest.vcpus || state.cpus != guest.cpus)
        fail("in {} \"{}\" has other CPUs than in the running system: that is decided at boot", file, partition.name());
}

}  // namespace

void load_guest(Client& client, const Asked& asked) {
    const std::string &name = asked.arguments[0], &file = asked.arguments[1];
    const RunningPartition partition = client.find(name);
    if (partition.state.itself != 0) fail("\"{}\" is the parent partition: it cannot be given what it receives", name);
    if (is(partition, PARTITA_IS_EMPTY)) fail("\"{}\" is a place of the pool; `partita create` makes a partition in it", name);
    if (partition.state.phase != PARTITA_PHASE_OFF)
        fail("\"{}\" is {}; `partita stop {}` stops it, and then it can be given something else", name, phase_name(partition.state.phase),
             name);
    const GuestToSend guest = asked.compile(file, name);
    if (guest.pooled != is(partition, PARTITA_IS_OF_POOL))
        fail("\"{}\" is a partition of the pool in {}, and in the running system the other way round", name, file);
    require_fit(partition, guest, name, file);
    send(client, partition, guest.bytes);
    tell(asked, client.partition(partition.number),
         fmt::format("loaded, {}; `partita start {}` starts it", format_size(guest.bytes.size()), name));
}

void create_guest(Client& client, const Asked& asked) {
    const std::string &name = asked.arguments[0], &file = asked.arguments[1];
    const auto all = client.partitions();
    if (std::any_of(all.begin(), all.end(), [&](const RunningPartition& one) { return one.name() == name; }))
        fail("there is a partition \"{}\" already; `partita load` gives it something else to run", name);
    const auto place = std::find_if(all.begin(), all.end(), [](const RunningPartition& one) { return is(one, PARTITA_IS_EMPTY); });
    if (place == all.end())
        fail("there is no place for another partition; `partita destroy` frees one, or give [pool] more partitions at the next boot");
    const GuestToSend guest = asked.compile(file, name);
    if (!guest.pooled) fail("\"{}\" is a partition of {} from boot on; add pool = true where it is to be made at run time", name, file);
    require_fit(*place, guest, name, file);
    send(client, *place, guest.bytes);
    tell(asked, make(client, client.partition(place->number), start_it), fmt::format("created, {}", format_size(guest.bytes.size())));
}

void destroy_guest(Client& client, const Asked& asked) {
    RunningPartition partition = client.find(asked.arguments[0]);
    const std::string name = partition.name();
    if (!is(partition, PARTITA_IS_OF_POOL)) fail("\"{}\" is there from boot on; `partita stop` stops it", name);
    if (is(partition, PARTITA_IS_EMPTY)) fail("\"{}\" is a place of the pool, and free", name);
    if (partition.state.phase != PARTITA_PHASE_OFF) partition = make(client, partition, stop_it);
    if (const std::int32_t result = client.take(partition.number); result != PSCI_SUCCESS)
        fail("\"{}\" cannot be destroyed: {}", name, result == PARTITA_WRONG_STATE ? "it was started meanwhile" : std::to_string(result));
    partition = client.partition(partition.number);
    if (asked.json) return tell(asked, partition, "");
    fmt::print("{}: destroyed\n", name);
}

}  // namespace partita::tool
