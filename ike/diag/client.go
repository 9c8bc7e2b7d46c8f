package diag

import "fmt"

// AddressRefused is the failure that the gateway has no address for this side, its client, and says so with notify. asked is what this side
// has asked for, as vips of the connection have it.
func AddressRefused(w Where, notify fmt.Stringer, asked string) *Failure {
	f := w.refused(CodeVIP, notify.String(), "an address ("+oneLine(asked)+")")
	f.Fix = "the gateway's log says why: it has no pool for this side, or none of the family of " + w.connection() + ".vips, or no address in it is free."
	return f
}

// NoAddress is the failure that the gateway's last answer, in words, gives no address.
func NoAddress(w Where, asked, answer string) *Failure {
	f := w.failure(CodeVIP, "an address ("+oneLine(asked)+")", answer)
	f.Fix = "give the connection a pool at the gateway; or leave vips out of " + w.connection() + ", and name the networks of this side in local_ts, if it is no client."
	return f
}

// UnusableAddress is the failure that the address which the gateway gives can't be this side's: why completes "which …".
func UnusableAddress(w Where, addr, why string) *Failure {
	f := w.failure(CodeVIP, "an address that it can use", fmt.Sprintf("%s, which %s", oneLine(addr), why))
	f.Fix = "correct the pool at the gateway: it must have addresses that are free, and that neither this host nor the network it is in has."
	return f
}
