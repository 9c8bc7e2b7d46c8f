// Package wireshark lets tshark judge a captured run: given the keys, everything in it must decrypt and nothing
// in it may be malformed.
//
// The keys come in the two files that Wireshark itself reads from its profile directory, ikev2_decryption_table
// and esp_sa. Esplanade writes them (save_keys in its configuration); for strongSwan, whose Debian package has no
// such plugin, [FromCharonLog] makes them from its log at level 4. tshark is thereby a third implementation: keys
// taken from strongSwan's log decrypt what Esplanade sent.
package wireshark
