// The Cortex-M7's L1 caches.
#pragma once

namespace cortex {

// Invalidates both, whose contents are unknown after reset, and enables them.
void start_caches();

}  // namespace cortex
