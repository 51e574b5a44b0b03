#include "interrupt/waiting_set.hpp"

#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "random.hpp"

namespace partita {
namespace {

// What waits, in words: which kind, how urgent.
struct Waiting {
    bool active, forced;
    std::uint32_t priority;
};
using Model = std::map<std::uint32_t, Waiting>;

std::uint32_t first(const Model& model, bool active) {
    std::tuple<bool, std::uint32_t, std::uint32_t> best{true, ~0u, WaitingSet::none};
    for (const auto& [id, each] : model)
        if (each.active == active) best = std::min(best, {each.forced, each.priority, id});
    return std::get<2>(best);
}

// One random step on both.
void step(Random& random, std::uint32_t ids, WaitingSet& set, Model& model) {
    const std::uint32_t id = random() % ids, priority = random() % 32;
    switch (random() % 5) {
        case 0:
        case 1: set.add_pending(id, priority), model[id] = {false, false, priority}; break;
        case 2: {
            const bool forced = random() % 2 != 0;
            set.add_active(id, priority, forced), model[id] = {true, forced, priority};
            break;
        }
        case 3: set.remove(id), model.erase(id); break;
        default:
            if (const std::uint32_t most = set.first_pending(); most != WaitingSet::none) set.remove(most), model.erase(most);
            break;
    }
}

TEST(WaitingSet, AgreesWithAMap) {
    for (std::uint32_t seed = 0; seed < 40; ++seed) {
        Random random{seed};
        const std::uint32_t ids = seed % 2 == 0 ? PARTITA_MAX_INTERRUPTS : 5;
        WaitingSet set;
        Model model;
        for (int n = 0; n < 5000; ++n) {
            step(random, ids, set, model);
            ASSERT_EQ(set.first_pending(), first(model, false)) << "seed " << seed << ", step " << n;
            ASSERT_EQ(set.first_active(), first(model, true)) << "seed " << seed << ", step " << n;
            ASSERT_EQ(set.any(), !model.empty());
            ASSERT_EQ(set.any_active(), first(model, true) != WaitingSet::none);
        }
        set.clear();
        EXPECT_FALSE(set.any());
        set.add_pending(7, 3);
        EXPECT_EQ(set.first_pending(), 7u);
    }
}

}  // namespace
}  // namespace partita
