package sa

import (
	"fmt"

	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// seal protects payloads with SK, or with SKF when the peer knows fragmentation and the datagram would be larger than
// the configured size. It returns the datagrams in order.
func (m *Machine) seal(h wire.Header, payloads []wire.Payload) [][]byte {
	plain := wire.AppendPayloads(nil, payloads)
	first := wire.FirstType(payloads)
	m.countOwn(h, first, plain)
	total := wire.HeaderLen + skHeaderLen + m.sealer.BodyLen(len(plain))
	if m.frag.negotiated && m.cfg.FragmentSize > 0 && total > m.cfg.FragmentSize {
		if frags := m.sealFragments(h, first, plain); frags != nil {
			return frags
		}
	}
	b := wire.AppendProtected(nil, h, first, m.sealer.BodyLen(len(plain)))
	return [][]byte{m.sealTo(b, plain)}
}

const (
	skHeaderLen  = 4 // generic payload header, RFC 7296 section 3.2
	skfHeaderLen = 8 // with fragment number and total, RFC 7383 section 2.5
)

func (m *Machine) sealTo(b, plain []byte) []byte {
	out, err := m.sealer.Seal(b, len(b), plain)
	if err != nil {
		// Counter IVs of 64 bits do not run out in an SA's life, and lengths are ours.
		panic(fmt.Sprintf("BUG: sealing an IKE message: %v", err))
	}
	return out
}

// setKeys derives the SK_* keys and makes the protection of both directions from them.
func (m *Machine) setKeys(skeyseed, ni, nr []byte) error {
	keys, err := suite.DeriveKeys(m.chosen, skeyseed, ni, nr, m.spii(), m.spir())
	if err != nil {
		return err
	}
	return m.useKeys(keys)
}

// useKeys protects with these keys from now on.
func (m *Machine) useKeys(keys suite.Keys) error {
	i, err := suite.NewProtection(m.chosen, keys.Ei, keys.Ai)
	if err != nil {
		return err
	}
	r, err := suite.NewProtection(m.chosen, keys.Er, keys.Ar)
	if err != nil {
		return err
	}
	m.keys = keys
	if m.initiator {
		m.sealer, m.opener = i, r
	} else {
		m.sealer, m.opener = r, i
	}
	if m.env.ExportKeys {
		m.emit(KeysDerived{SPIi: m.spii(), SPIr: m.spir(), Keys: keys})
	}
	return nil
}

// ownP and peerP are SK_pi or SK_pr, by role.
func (m *Machine) ownP() []byte {
	if m.initiator {
		return m.keys.Pi
	}
	return m.keys.Pr
}

func (m *Machine) peerP() []byte {
	if m.initiator {
		return m.keys.Pr
	}
	return m.keys.Pi
}
