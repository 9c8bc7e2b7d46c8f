package config

import (
	"fmt"
	"math"
	"time"
)

func readChildLifetimes(t *table, h *Child) {
	// Each of the two gives the other its default, a tenth apart.
	def := defaultChildRekeyTime
	written := t.has("life_time")
	var at Position
	if written {
		h.LifeTime, at = t.lifetime("life_time", defaultChildRekeyTime*11/10)
		if h.LifeTime != 0 {
			def = h.LifeTime * 9 / 10
		}
	}
	h.RekeyTime, _ = t.lifetime("rekey_time", def)
	if !written {
		h.LifeTime, at = t.lifetime("life_time", h.RekeyTime*11/10)
	}
	if h.RekeyTime != 0 && h.LifeTime != 0 && h.LifeTime <= h.RekeyTime {
		t.errorf(at, fmt.Sprintf("write more than rekey_time, %s", short(h.RekeyTime)),
			"%s is %s, so that the SA would be deleted instead of rekeyed", t.name("life_time"), short(h.LifeTime))
	}
	def = 0
	if h.LifeTime > h.RekeyTime {
		def = min(h.LifeTime-h.RekeyTime, h.RekeyTime/2)
	}
	h.RandTime, at = t.duration("rand_time", def, time.Second, forever, true)
	if h.RekeyTime != 0 && h.RandTime >= h.RekeyTime {
		t.errorf(at, fmt.Sprintf("write less than rekey_time, %s", short(h.RekeyTime)),
			"%s is %s, so the SA could be rekeyed immediately", t.name("rand_time"), short(h.RandTime))
	}
	h.RekeyBytes, h.LifeBytes = volume(t, "rekey_bytes", "life_bytes", func(key string, def uint64) (uint64, Position) {
		return t.size(key, def, 1<<20, math.MaxInt64)
	})
	h.RekeyPackets, h.LifePackets = volume(t, "rekey_packets", "life_packets", func(key string, def uint64) (uint64, Position) {
		n, at := t.integer(key, int64(def), 0, math.MaxInt64)
		return uint64(n), at
	})
}

// volume reads a soft and a hard limit, of which each gives the other its default: a tenth apart.
func volume(t *table, rekeyKey, lifeKey string, read func(key string, def uint64) (uint64, Position)) (rekey, life uint64) {
	written := t.has(lifeKey)
	var def uint64
	var at Position
	if written {
		life, at = read(lifeKey, 0)
		def = life - life/10
	}
	rekey, _ = read(rekeyKey, def)
	if !written {
		life, at = read(lifeKey, min(rekey, math.MaxInt64/2)+rekey/10)
	}
	if rekey != 0 && life != 0 && life <= rekey {
		t.errorf(at, fmt.Sprintf("write more than %s, %d", rekeyKey, rekey),
			"%s is %d, so that the SA would stop instead of being rekeyed", t.name(lifeKey), life)
	}
	return rekey, life
}
