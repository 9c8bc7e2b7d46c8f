package main

// espMutants are mutants of the ESP engine.
func espMutants() []Mutant {
	return []Mutant{
		{
			Name: "esp-icv", File: "esp/inbound.go", Tests: "^TestOpenBitFlips$",
			Old: "	if !ok {\n		i.forgeries.Add(1)\n		return nil, 0, 0, seq, ErrICV\n	}\n", New: "	if !ok {\n		i.forgeries.Add(1)\n	}\n",
			Why: "forged packets would be accepted",
		},
		{
			Name: "esp-spi", File: "esp/inbound.go", Tests: "^TestOpenBitFlips$",
			Old: "if binary.BigEndian.Uint32(pkt) != i.spi {", New: "if false {",
			Why: "packets of another SA would be accepted where the SPI is not covered",
		},
		{
			Name: "esp-replay-check", File: "esp/inbound.go", Tests: "^TestReplayIsFoundBeforeTheICV$",
			Old: "	if !i.window.check(seq) {\n", New: "	if false {\n",
			Why: "a replay would cost a decryption",
		},
		{
			Name: "esp-replay-accept", File: "esp/inbound.go", Tests: "^TestConcurrentSamePacket$",
			Old: "	if !i.window.accept(seq) {\n", New: "	if false {\n",
			Why: "a packet could be played again",
		},
		{
			Name: "esp-replay-before-icv", File: "esp/inbound.go", Tests: "^TestForgeryKeepsWindow$",
			Old: "	plain, ok := k.open(w, pkt, seq)\n", New: "	i.window.accept(seq - 1)\n	plain, ok := k.open(w, pkt, seq)\n",
			Why: "forged packets would move the window, and true ones be dropped",
		},
		{
			Name: "esp-replay-left", File: "esp/replay.go", Tests: "^TestWindowReference$",
			Old: "return seq == 0 || m >= seq && m-seq >= r.size", New: "return seq == 0 || m == 0 && false",
			Why: "packets left of the window could be played again",
		},
		{
			Name: "esp-replay-zero", File: "esp/replay.go", Tests: "^TestWindowReference$",
			Old: "return seq == 0 || m", New: "return m",
			Why: "sequence number 0 is none",
		},
		{
			Name: "esp-replay-bit", File: "esp/replay.go", Tests: "^TestWindowReference$",
			Old: "case d == 0 && w&bit == 0:", New: "case d == 0:",
			Why: "a packet inside of the window could be played again",
		},
		{
			Name: "esp-replay-epoch", File: "esp/replay.go", Tests: "^TestWindow",
			Old: "	case d > 0:\n", New: "	case d != 0:\n",
			Why: "a late packet would clear what was seen since",
		},
		{
			Name: "esp-forgeries", File: "esp/inbound.go", Tests: "^TestForgeryLimit$",
			Old: "if i.maxForgeries != 0 && i.forgeries.Load() >= i.maxForgeries {", New: "if false {",
			Why: "somebody could go on guessing ICVs of 8 octets",
		},
		{
			Name: "esp-wrap", File: "esp/limits.go", Tests: "^TestSequenceHardStop$",
			Old: "maxSequence    = math.MaxUint32 - 1", New: "maxSequence    = math.MaxUint32 + 1",
			Why: "sequence numbers would begin again under the same key",
		},
		{
			Name: "esp-hard-packets", File: "esp/outbound.go", Tests: "^TestPacketLimits$",
			Old: "if used := first - 1; uint64(n) > o.hard.Packets-used {", New: "if used := first - 1; uint64(n) > o.hard.Packets-used+1 {",
			Why: "more would be sealed than a key is for",
		},
		{
			Name: "esp-hard-bytes", File: "esp/outbound.go", Tests: "^TestByteLimits$",
			Old: "if o.bytes.Load() >= o.hard.Bytes {", New: "if false {",
			Why: "more would be sealed than a key is for",
		},
		{
			Name: "esp-hard-of-algorithm", File: "esp/outbound.go", Tests: "^TestLimitDefaults$",
			Old: "hard := c.Hard.within(c.Suite.hardLimits())", New: "hard := c.Hard",
			Why: "a limit that is configured could be beyond what the algorithm stands",
		},
		{
			Name: "esp-seal-unreserved", File: "esp/outbound.go", Tests: "^TestSequenceHardStop$",
			Old: "if seq == 0 || seq >= o.next.Load() {", New: "if seq == 0 {",
			Why: "a sequence number could be used that will be handed out again",
		},
		{
			Name: "esp-reserved-spi", File: "esp/outbound.go", Tests: "^TestConfigErrors$",
			Old: "	if spi < minSPI {\n", New: "	if false {\n",
			Why: "SPI 0 is a non-ESP marker: packets of it would be taken for IKE",
		},
		{
			Name: "esn-wrap-up", File: "esp/esn.go", Tests: "^TestInferESN$",
			Old: "		if low < bl {\n", New: "		if false {\n",
			Why: "after 2^32 packets all that follow would be dropped",
		},
		{
			Name: "esn-window-back", File: "esp/esn.go", Tests: "^TestInferESN$",
			Old: "	case low >= bl: // case B\n", New: "	case false: // case B\n",
			Why: "late packets would be dropped when the lower half has just wrapped",
		},
		{
			Name: "esn-before-the-first", File: "esp/esn.go", Tests: "^TestInferESN$",
			Old: "		if th == 0 {\n", New: "		if false {\n",
			Why: "a packet from before the first would be taken for one of the very end",
		},
		{
			Name: "esp-short", File: "esp/inbound.go", Tests: "^TestOpenPrefixes$",
			Old: "if n < trailerLen || len(pkt) > maxPacketLen ||", New: "if len(pkt) > maxPacketLen ||",
			Why: "a packet that is too short would bring the gateway down",
		},
		{
			Name: "esp-blocks", File: "esp/inbound.go", Tests: "^TestOpenCBCBlocks$",
			Old: "|| k.method == methodCBC && n%blockLen != 0 {", New: "{",
			Why: "a packet that is no whole number of blocks would bring the gateway down",
		},
		{
			Name: "esp-inner-version", File: "esp/inner.go", Tests: "^TestTrimInner",
			Old: "len(payload) < ipv4MinHeaderLen || payload[0]>>4 != 4 {", New: "len(payload) < ipv4MinHeaderLen {",
			Why: "a packet would pass that is none of the version that it says",
		},
	}
}
