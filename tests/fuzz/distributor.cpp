// The virtual GIC under any accesses of two virtual CPUs, which take and end what comes: nothing of another's is touched, no interrupt is
// in two list registers, and the physical distributor is asked for this partition's interrupts alone.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "../unit/fake_system.hpp"

namespace {

using namespace partita;

struct Step {
    std::uint32_t value;
    std::uint16_t offset;
    std::uint8_t what, size;
};

void require(bool good) {
    if (!good) std::abort();
}

bool owned(std::uint32_t id) { return id == intid::virtual_timer || id == 40 || id == 41; }

void look_at(const FakeGic& gic) {
    std::set<std::uint32_t> seen;
    for (const std::uint32_t value : gic.lr)
        if (list_register::live(value)) require(seen.insert(list_register::VirtualId::get(value)).second);
    for (const auto* const ids : {&gic.physical_active, &gic.physical_pending})
        for (const std::uint32_t id : *ids) require(owned(id));
}

class World {
public:
    World() {
        (void)fake_.start(0);
        require(power_on(a_, 1, 0x4000'8000, 0) == PSCI_SUCCESS);
        fake_.be_cpu(1);
        (void)run_next(*a_.vcpus[1].vcpu.cpu);
        before_ = fake_.gic.physical_enabled;
        the_world = this;
        other_cpu = [] { the_world->answer_for_the_other(); };
    }
    ~World() { other_cpu = nullptr; }
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    void take(const Step& step) {
        const std::uint32_t index = step.what & 1u;
        Vcpu& vcpu = a_.vcpus[index].vcpu;
        fake_.be_cpu(index);
        if (posted(*vcpu.cpu)) serve_inbox(*vcpu.cpu);
        const std::uint32_t offset = step.offset % 0x1000u;
        switch (step.what >> 1 & 7u) {
            case 0:
            case 1:
            case 2: a_.distributor.write(vcpu.interrupts, offset & ~3u, 4, step.value); break;
            case 3: a_.distributor.write(vcpu.interrupts, offset, 1u << step.size % 3, step.value); break;
            case 4: (void)a_.distributor.read(vcpu.interrupts, offset, 1u << step.size % 3); break;
            case 5: (void)fake_.gic.acknowledge(); break;
            case 6:
                if (!fake_.gic.running.empty()) fake_.gic.end();
                break;
            default: a_.distributor.set_level(32 + step.offset % 8u, (step.value & 1u) != 0); break;
        }
        for (int n = 0; n < 20 && fake_.gic.maintenance(); ++n) vcpu.interrupts.maintain();
        require(!fake_.gic.maintenance());
        look_at(fake_.gic);
        for (const std::uint32_t id : fake_.gic.physical_enabled) require(owned(id) || before_.contains(id));
        require(system().partitions[1].phase.load() == Phase::off);
    }

private:
    // What one virtual CPU holds in its list registers is asked for by the other, which waits.
    void answer_for_the_other() {
        const std::uint32_t asking = this_cpu().index;
        fake_.be_cpu(1 - asking);
        serve_inbox(this_cpu());
        fake_.be_cpu(asking);
    }

    static inline World* the_world = nullptr;
    FakeSystem fake_;
    Partition& a_ = system().partitions[0];
    std::set<std::uint32_t> before_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    World world;
    for (; size >= sizeof(Step); data += sizeof(Step), size -= sizeof(Step)) {
        Step step;
        std::memcpy(&step, data, sizeof step);
        world.take(step);
    }
    return 0;
}
