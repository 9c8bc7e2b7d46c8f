package diag

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

var testTime = time.Date(2026, 5, 4, 10, 2, 3, 0, time.UTC)

func testWhere(exchange string) Where {
	return Where{
		Connection: "office", Child: "net", Exchange: exchange,
		Local: netip.MustParseAddrPort("192.0.2.1:500"), Remote: netip.MustParseAddrPort("203.0.113.7:500"),
		PeerID: "site-b.example", ConfigLine: "gw.toml:14", Time: testTime,
	}
}

// The text on a dead peer is shown long after it was made: it says when the peer was heard, with the day where that is another one.
func TestDeadSaysWhen(t *testing.T) {
	w, sent := testWhere("INFORMATIONAL"), Sent{Times: 3, Over: 6 * time.Second}
	for heard, want := range map[time.Time]string{
		testTime.Add(-6 * time.Second):                              "was last heard at 10:01:57",
		testTime.Add(-6 * time.Second).In(time.FixedZone("", 3600)): "was last heard at 10:01:57",
		testTime.Add(-24 * time.Hour):                               "was last heard at 2026-05-03 10:02:03",
	} {
		if text := Dead(w, heard, sent).Error(); !strings.Contains(text, want) || strings.Contains(text, " ago") {
			t.Errorf("no %q in %s", want, text)
		}
	}
}

// every returns one failure from each constructor, by its name; those with variants have one entry each.
func every() map[string]*Failure {
	init, auth, info := testWhere("IKE_SA_INIT"), testWhere("IKE_AUTH"), testWhere("INFORMATIONAL")
	err := errors.New("underlying error")
	m := Mismatch{
		Ours: []string{"aes256gcm16-prfsha384-ecp384"}, Theirs: []string{"aes256-sha1-modp1024", "3des-sha1-modp1024"},
		ClosestOurs: "aes256gcm16-prfsha384-ecp384", ClosestTheirs: "aes256-sha1-modp1024", Differs: []Difference{{What: "KE", Ours: []string{"ECP_384"}, Theirs: []string{"MODP_1024"}}},
	}
	answer := m
	answer.Answer = true
	ours := Selectors{Local: []string{"10.10.0.0/24"}, Remote: []string{"10.20.0.0/24"}}
	theirs := Selectors{Local: []string{"10.10.0.0/24"}, Remote: []string{"10.30.0.0/24"}}
	offer := Offer{Proposals: m.Ours, Selectors: ours, Request: "a rekeying of CHILD SA net"}
	alone := init
	alone.Child = ""
	failed := auth.Answering(notification("AUTHENTICATION_FAILED"))
	wrong, other := WrongPSK(failed, Key{}, "site-a.example", "site-b.example"), Malformed(auth, err)
	wrong.WithPPK(`"office-2026"`)
	proof := Proof{Key{"secrets.ike.office", "gw.toml:30"}, Signed{}, "site-a.example", "gw.toml:17", "site-b.example", "gw.toml:20", `"office-2026"`, false}
	all := everyCertificate(failed)
	maps.Copy(all, usersFailures(failed, err))
	maps.Copy(all, map[string]*Failure{
		"PPKMismatch":                PPKMismatch(init, `"office-2026"`, `PPK "office-2026" (ppk_required)`, "no PPK"),
		"PPKMismatch/none":           PPKMismatch(Where{}, "", "", ""),
		"NoPPK":                      NoPPK(init, `PPK "office-2026" (ppk_required)`),
		"OwnIDUnreadable":            OwnIDUnreadable(failed, "ID_IPV4_ADDR", err),
		"NoDowngradePrevention":      NoDowngradePrevention(init),
		"RoundsDiffer":               RoundsDiffer(failed, "2 rounds", "one round"),
		"NoMultipleAuth":             NoMultipleAuth(init, "2 rounds here and one round of the peer"),
		"TranscriptStripped":         TranscriptStripped(failed),
		"WrongPPK":                   WrongPPK(failed, `"office-2026"`),
		"NoConnection":               NoConnection(init, []string{"office (198.51.100.20)"}, Nearest{"office", "remote_addrs", "198.51.100.20", "gw.toml:9"}),
		"NoConnection/nowhere":       NoConnection(Where{}, nil, Nearest{}),
		"NoConnectionForID":          NoConnectionForID(failed, "site-a.example", []string{"office (site-c.example)"}),
		"NoConnectionForID/none":     NoConnectionForID(failed, "", nil),
		"IKEProposalMismatch":        IKEProposalMismatch(init, m),
		"IKEProposalMismatch/none":   IKEProposalMismatch(init, Mismatch{}),
		"IKEProposalMismatch/answer": IKEProposalMismatch(init, answer),
		"ChildProposalMismatch":      ChildProposalMismatch(auth, m),
		"IKEProposalRefused":         Refused(alone, notification("NO_PROPOSAL_CHOSEN"), offer),
		"KEGroupRefused":             KEGroupRefused(init, notification("INVALID_KE_PAYLOAD"), []string{"aes256-sha256-ecp384"}, "MODP_1024"),
		"NoKEGroupLeft":              NoKEGroupLeft(init, m.Ours),
		"WrongKEGroup":               WrongKEGroup(init, "ECP_384", "MODP_1024"),
		"BadKEValue":                 BadKEValue(init, "ECP_256", err),
		"CookieLoop":                 CookieLoop(init, Sent{Times: 5, Over: 3 * time.Second}),
		"RedirectLoop":               RedirectLoop(init, "192.0.2.1", "gw2.example", 5, 5*time.Minute),
		"RedirectUnresolved":         RedirectUnresolved(init, "192.0.2.1", "gw2.example", err),
		"RedirectInPlace":            RedirectInPlace(init, "192.0.2.1", "192.0.2.1", "the gateway that it is with"),
		"RedirectsInPlace":           RedirectsInPlace(init, "192.0.2.1", "the peer's own address"),
		"NotRedirectable":            NotRedirectable(init, 3, false),
		"NotRedirectable, called":    NotRedirectable(init, 1, true),
		"SelectorMismatch":           SelectorMismatch(auth, ours, theirs),
		"NoChildFits":                NoChildFits(auth, []string{"net: " + ours.String(), "voice: " + theirs.String()}, Selectors{}),
		"NoChildFits/none":           NoChildFits(auth, nil, theirs),
		"SelectorsOutside":           SelectorsOutside(auth, ours, theirs),
		"SelectorsNarrowed":          SelectorsNarrowed(auth, ours, theirs, []string{"10.10.1.0/24 === 10.20.1.0/24"}),
		"NothingNew":                 NothingNew(auth, ours, theirs),
		"RekeyNarrows":               RekeyNarrows(auth, ours, theirs),
		"SelectorsTaken":             SelectorsTaken(auth, "10.20.0.0/24 for 'site-c.example' at 203.0.113.9:500 (IKE SA #3)", "10.20.0.0/24"),
		"IDMismatch":                 IDMismatch(failed, "site-b.example", "10.0.0.5"),
		"OwnIDMismatch":              OwnIDMismatch(failed, "site-a.example", "192.0.2.1"),
		"ResumedIDMismatch":          ResumedIDMismatch(failed, "site-b.example", "site-c.example"),
		"IDUnreadable":               IDUnreadable(failed, "site-b.example", "ID_IPV4_ADDR", err),
		"IDUnreadable/any":           IDUnreadable(failed, "", "", err),
		"WrongPSK":                   WrongPSK(failed, Key{"secrets.ike.office", "gw.toml:30"}, "site-a.example", "site-b.example"),
		"WrongPSK/PPK":               wrong,
		"AuthRefused":                AuthRefused(auth, notification("AUTHENTICATION_FAILED"), proof),
		"AuthRefused/unnamed":        AuthRefused(auth, notification("AUTHENTICATION_FAILED"), Proof{LocalID: "site-a.example"}),
		"MethodMismatch":             MethodMismatch(failed, "psk", "RSA_DIGITAL_SIGNATURE"),
		"WrongSignature":             WrongSignature(failed, Certificate{Subject: "CN=b", Serial: "12ab", Issuer: "CN=CA"}, "ECDSA with SHA2_256", "ECDSA P-256", true),
		"WrongSignature/kind":        WrongSignature(failed, Certificate{}, "Ed25519", "RSA 2048", false),
		"SignatureNotAccepted":       SignatureNotAccepted(failed, "RSA-PSS", "its salt is not as long as the hash"),
		"NoSignature":                NoSignature(failed, []string{"Ed25519"}, []string{"SHA2_256"}),
		"NoSignature/old":            NoSignature(failed, []string{"Ed25519"}, nil),
		"NoKey":                      NoKey(auth, "site-a.example"),
		"KeyFailed":                  KeyFailed(auth, err),
		"NoTrust":                    NoTrust(failed),
		"NoSecret":                   NoSecret(failed, "site-a.example", "site-b.example"),
		"Silent/init":                Silent(init, true, Sent{Times: 5, Over: 165 * time.Second}),
		"Silent/auth":                Silent(auth, true, Sent{Times: 5, Over: 165 * time.Second}),
		"Silent/later":               Silent(info, false, Sent{Times: 1, Over: 4 * time.Second}),
		"Dead":                       Dead(info, info.Time.Add(-time.Minute), Sent{Times: 5, Over: 165 * time.Second}),
		"OneWay/raw":                 OneWay(info, Traffic{Out: 10, Asking: 4}),
		"OneWay/udp":                 OneWay(info, Traffic{Out: 10, Asking: 4, Came: true, UDP: true}),
		"HalfOpenExpired":            HalfOpenExpired(init, 30*time.Second),
		"Unreachable/port":           Unreachable(init, syscall.ECONNREFUSED),
		"Unreachable/host":           Unreachable(init, syscall.EHOSTUNREACH),
		"Unreachable/perm":           Unreachable(init, syscall.EPERM),
		"Unreachable/size":           Unreachable(auth, syscall.EMSGSIZE),
		"Unreachable/other":          Unreachable(init, err),
		"Unreachable/unknown":        Unreachable(init, nil),
		"UnreachableAfter":           UnreachableAfter(init, syscall.ECONNREFUSED, Sent{Times: 3, Over: 5 * time.Second}),
		"UnreachableAfter/unknown":   UnreachableAfter(init, nil, Sent{Times: 1}),
		"PeerRestarted":              PeerRestarted(info, notification("INVALID_IKE_SPI")),
		"Unresolved":                 Unresolved(init, "gw.example", err),
		"NATDetected":                NATDetected(init, netip.MustParseAddrPort("203.0.113.7:1024")),
		"AddressGone":                AddressGone(info, netip.MustParseAddr("192.0.2.1")),
		"BlackHole":                  BlackHole(info, 1400, 1500),
		"BindFailed/inuse":           BindFailed(init, "ike.port_nat_t", syscall.EADDRINUSE),
		"BindFailed/notavail":        BindFailed(init, "ike.port_nat_t", syscall.EADDRNOTAVAIL),
		"BindFailed/acces":           BindFailed(init, "ike.port_nat_t", syscall.EACCES),
		"Malformed":                  other,
		"Unexpected":                 Unexpected(auth, "an answer with IDr and AUTH", "one without them"),
		"OtherVersion":               OtherVersion(init, "IKEv1"),
		"NotChildless":               NotChildless(auth, "a child within IKE_AUTH"),
		"LimitReached":               LimitReached(init, "1024 IKE SAs of one identity (ike_sa_limit_id)", "another IKE SA"),
		"TooManySelectors":           TooManySelectors(auth, "at most 64 traffic selectors", "200 traffic selectors"),
		"OneIsKept":                  OneIsKept(auth, 7),
		"TicketNotPresented":         TicketNotPresented(init, "it has expired"),
		"TicketNotAnswered":          TicketNotAnswered(init),
		"TicketRefused":              TicketRefused(init, notification("TICKET_NACK")),
		"NotResumed":                 NotResumed(init, err),
		"AddressRefused":             AddressRefused(auth, notification("INTERNAL_ADDRESS_FAILURE"), "0.0.0.0, ::"),
		"NoAddress":                  NoAddress(auth, "0.0.0.0", "a CFG_REPLY without an address"),
		"UnusableAddress":            UnusableAddress(auth, "127.0.0.1", "is every host's own"),
		"PeerDeleted":                PeerDeleted(info, "the IKE SA"),
		"Expired":                    Expired(info, "life_time 1h10m"),
		"Terminated":                 Terminated(auth, "an IKE SA"),
		"NoBareIKESA":                NoBareIKESA(auth, "no CHILDLESS_IKEV2_SUPPORTED"),
		"OpenAgain":                  OpenAgain(auth),
		"Cancelled":                  Cancelled(info, "the daemon ends"),
		"InstallFailed":              InstallFailed(auth, "CHILD_SA net", err),
		"RoutesFailed":               RoutesFailed(auth, ours.String(), err),
		"UnknownName":                UnknownName(Where{Connection: "ofice"}, "connection", "ofice", []string{"office", "lab"}),
		"Ambiguous":                  Ambiguous(Where{}, "net", []string{"office/net", "lab/net"}),
		"NothingUp":                  NothingUp(Where{}, "office", "only what is up can be rekeyed"),
		"Uncallable":                 Uncallable(Where{Connection: "office"}),
		"NothingToBringUp":           NothingToBringUp(auth),
		"NotOffered":                 NotOffered(Where{}, "resetting counters", "take differences instead: counters only grow."),
		"NoTime":                     NoTime(auth, err),
		"Internal":                   Internal(auth, err),
		"empty":                      {Code: CodeTS},
		"no code":                    {},
	})
	maps.Copy(all, addressFailures(auth))
	for _, w := range []Where{init, auth, info, {}} {
		for _, notify := range []string{
			"NO_PROPOSAL_CHOSEN", "INVALID_KE_PAYLOAD", "TS_UNACCEPTABLE", "INVALID_SYNTAX", "INVALID_MAJOR_VERSION", "TEMPORARY_FAILURE",
			"UNSUPPORTED_CRITICAL_PAYLOAD", "INVALID_SPI", "INVALID_IKE_SPI", "UNEXPECTED_NAT_DETECTED", "UNACCEPTABLE_ADDRESSES", "NO_ADDITIONAL_SAS",
		} {
			child := w
			child.Child = ""
			all["Refused/"+notify+"/"+w.Exchange] = Refused(w, notification(notify), offer)
			all["Refused/"+notify+"/empty/"+w.Exchange] = Refused(child, notification(notify), Offer{})
		}
	}
	return all
}

// TestBothSides holds every failure to the rule of the package: both sides and a fix, on one line, whatever is known.
func TestBothSides(t *testing.T) {
	// The two clauses must have a predicate, not only a subject.
	ours := `we (\([^)]*\) )?\w+ ['"]?\w+`
	both, own := regexp.MustCompile(`: peer \S.*? \w+.*; `+ours), regexp.MustCompile(`: `+ours)
	for name, f := range every() {
		t.Run(name, func(t *testing.T) {
			s := f.Error()
			if alone := lookup(f.Code).local && !f.knowsPeer(); alone {
				if !own.MatchString(s) || strings.Contains(s, "peer (") {
					t.Errorf("does not speak of this machine alone: %s", s)
				}
			} else if !both.MatchString(s) {
				t.Errorf("does not name both sides: %s", s)
			}
			i := strings.Index(s, " Fix: ")
			if i < 0 || len(s)-i < 20 {
				t.Errorf("no fix: %s", s)
			}
			if strings.ContainsAny(s, "\n\r\t") {
				t.Errorf("more than one line: %q", s)
			}
			if strings.Contains(s, "  ") || strings.Contains(s, ": ;") || strings.Contains(s, "..") {
				t.Errorf("an empty piece shows: %q", s)
			}
			if f.Remote.IsValid() && !strings.Contains(s, "203.0.113.7:500") {
				t.Errorf("the peer's address is missing: %s", s)
			}
			if f.Connection != "" && !strings.Contains(s, " "+f.Connection) {
				t.Errorf("the connection is missing: %s", s)
			}
			if !strings.HasPrefix(s, string(f.Code)) {
				t.Errorf("the code is not in front: %s", s)
			}
			if strings.Contains(s, "%!") {
				t.Errorf("format error: %s", s)
			}
		})
	}
}

// TestConstructorsCoverCodes: every code is produced by a constructor.
func TestConstructorsCoverCodes(t *testing.T) {
	made := map[Code]bool{}
	for name, f := range every() {
		if name != "empty" {
			made[f.Code] = true
		}
	}
	for _, c := range Codes() {
		if !made[c] {
			t.Errorf("%s: no constructor makes it", c)
		}
	}
}

// TestWrongOwnKey: of a connection's own key nobody is sent to secrets.ike, where it is not.
func TestWrongOwnKey(t *testing.T) {
	f := WrongPSK(Where{Connection: "office"}, Key{Table: "connections.office", Line: "gw.toml:5"}, "a.example", "b.example")
	if !strings.Contains(f.Fix, "in connections.office (gw.toml:5) here") || strings.Contains(f.Fix, "secrets.ike") ||
		!strings.Contains(f.Fix, "if another connection is meant, its remote.id must name 'b.example'") {
		t.Error(f.Fix)
	}
}

// TestRenderings pins the lines that operators will meet most.
func TestRenderings(t *testing.T) {
	for name, want := range map[string]string{
		"IKEProposalMismatch": `E-PROPOSAL-IKE office/net: no common IKE proposal in IKE_SA_INIT: peer 203.0.113.7:500 (id 'site-b.example') ` +
			`offers aes256-sha1-modp1024, 3des-sha1-modp1024; we (192.0.2.1:500, gw.toml:14) accept aes256gcm16-prfsha384-ecp384; ` +
			`closest: our aes256gcm16-prfsha384-ecp384, the peer's aes256-sha1-modp1024; differs in KE (we want ECP_384, the peer has MODP_1024). ` +
			`Fix: configure aes256gcm16-prfsha384-ecp384 at the peer; or add "aes256-sha1-modp1024" to connections.office.proposals here, if it is strong enough.`,
		"IKEProposalRefused": `E-INIT-REFUSED office: the peer refuses to begin an IKE SA in IKE_SA_INIT: peer 203.0.113.7:500 (id 'site-b.example') ` +
			`answered NO_PROPOSAL_CHOSEN; we (192.0.2.1:500, gw.toml:14) offered aes256gcm16-prfsha384-ecp384. ` +
			`Fix: the peer does not say which of two it is, but its log does. Either it has no connection for 192.0.2.1, or for the address of a NAT between the two, ` +
			`which is what it sees then (whether there is one is not known before its answer): put the address that its log names into its connection. ` +
			`Or it has none of our proposals: configure one of ours there, or one of its here in connections.office.proposals.`,
		"WrongPSK": `E-AUTH-PSK office/net: wrong pre-shared key in IKE_AUTH: peer 203.0.113.7:500 (id 'site-b.example') ` +
			`authenticates with another key, or with one for other identities; ` +
			`we (192.0.2.1:500, gw.toml:30) use secrets.ike.office for 'site-a.example' and 'site-b.example'. ` +
			`Fix: enter the same key in secrets.ike.office (gw.toml:30) here and at the peer for these two identities; compare checksums of the files, and look for a trailing newline. ` +
			`The identities choose the key: if another entry of secrets.ike is meant, its id must name 'site-b.example'.`,
		"SelectorMismatch": `E-TS office/net: the traffic selectors have nothing in common in IKE_AUTH: peer 203.0.113.7:500 (id 'site-b.example') ` +
			`offers 10.10.0.0/24 === 10.30.0.0/24; we (192.0.2.1:500, gw.toml:14) accept 10.10.0.0/24 === 10.20.0.0/24. ` +
			`Fix: set local_ts = ["10.10.0.0/24"] and remote_ts = ["10.30.0.0/24"] in connections.office.children.net, ` +
			`or let the peer ask for 10.20.0.0/24 (its local) and 10.10.0.0/24 (its remote).`,
		"NoConnection": `E-CONN-NONE office/net: no connection matches the peer in IKE_SA_INIT: peer 203.0.113.7:500 (id 'site-b.example') ` +
			`asks for an IKE SA with 192.0.2.1:500; we (192.0.2.1:500, gw.toml:9) have connections for office (198.51.100.20); ` +
			`closest: office, whose remote_addrs is 198.51.100.20. ` +
			`Fix: if it is meant for connections.office, add 203.0.113.7 to its remote_addrs (gw.toml:9); block it in the firewall if it should not call here.`,
		"Silent/init": `E-TIMEOUT-INIT office/net: the peer is silent in IKE_SA_INIT: peer 203.0.113.7:500 (id 'site-b.example') ` +
			`sent nothing at all; we (192.0.2.1:500, gw.toml:14) sent IKE_SA_INIT 5 times in 2m45s. ` +
			`Fix: check that 203.0.113.7 is the right address and its IKE daemon runs; that UDP 500 and 4500 pass between 192.0.2.1 and 203.0.113.7 in both directions; that the peer has a connection for 192.0.2.1.`,
		"Unreachable/port": `E-UNREACHABLE office/net: the network refuses packets to the peer in IKE_SA_INIT: peer 203.0.113.7:500 (id 'site-b.example') ` +
			`is there, and has nothing on that port; we (192.0.2.1:500, gw.toml:14) got ICMP port unreachable from the peer itself; cause: connection refused. ` +
			`Fix: start the IKE daemon at 203.0.113.7:500, or let its own firewall pass UDP 500 and 4500 from 192.0.2.1 to 203.0.113.7.`,
		"UnknownName": `E-CONFIG ofice: the configuration does not provide for it: ` +
			`we have no connection named 'ofice'; there are: office, lab. Fix: did you mean 'office'?`,
		"empty": `E-TS: the traffic selectors have nothing in common: peer (address unknown) does not say what it would accept; ` +
			`we offered the configured selectors. Fix: make local_ts here the remote network there, and remote_ts here the local network there.`,
	} {
		f := every()[name]
		if got := f.Error(); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

// TestHostileText: a peer chooses its identity; it must not be able to forge or break lines.
func TestHostileText(t *testing.T) {
	w := testWhere("IKE_AUTH")
	w.PeerID = "evil\nE-OK office: all is well\x1b[2J\x00" + strings.Repeat("x", 5000)
	s := IDMismatch(w, "site-b.example", w.PeerID).Error()
	if strings.ContainsAny(s, "\n\x1b\x00") {
		t.Errorf("control characters pass: %q", s)
	}
	if len(s) > 6000 {
		t.Errorf("%d octets for one failure", len(s))
	}
}

// TestWindows: the client of Windows is known by its Vendor IDs or by its defaults, and what is said to do there sets IKE and ESP.
func TestWindows(t *testing.T) {
	var m Mismatch
	m.Ours, m.Other = []string{"aes256gcm16-prfsha384-ecp384"}, []string{"aes256gcm16-ecp256-none-esn-noesn"}
	for i := range 18 {
		m.Theirs = append(m.Theirs, fmt.Sprintf("aes%d-sha1-modp1024", i))
	}
	w := testWhere("IKE_SA_INIT")
	const command = "Set-VpnConnectionIPsecConfiguration -ConnectionName NAME -DHGroup ECP384 -EncryptionMethod GCMAES256 -IntegrityCheckMethod SHA384 " +
		"-CipherTransformConstants GCMAES256 -AuthenticationTransformConstants GCMAES256 -PfsGroup ECP256 -Force"
	for _, want := range []string{"18 proposals: ", "(and 14 more)", "looks like Windows defaults", command} {
		if s := IKEProposalMismatch(w, m).Error(); !strings.Contains(s, want) {
			t.Errorf("no %q in %s", want, s)
		}
	}
	// Nothing of ours can be set on Windows: no such advice.
	other := m
	other.Ours = []string{"chacha20poly1305-prfsha384-x25519"}
	if s := IKEProposalMismatch(w, other).Error(); strings.Contains(s, "PowerShell") {
		t.Errorf("advice that cannot work: %s", s)
	}
	// One better group among them: not the defaults, and Windows only by its Vendor IDs.
	m.Theirs[3] = "aes256-sha256-modp2048"
	if s := IKEProposalMismatch(w, m).Error(); strings.Contains(s, "Windows") {
		t.Errorf("taken for Windows: %s", s)
	}
	m.Windows = true
	if s := IKEProposalMismatch(w, m).Error(); !strings.Contains(s, ", from a Windows client") || !strings.Contains(s, command) {
		t.Errorf("not taken for Windows: %s", s)
	}
	child := Mismatch{Ours: m.Other, Other: m.Ours, Theirs: []string{"aes256-sha1"}}
	if s := ChildProposalMismatch(w, child).Error(); strings.Contains(s, "Windows") {
		t.Errorf("taken for Windows: %s", s)
	}
	child.Windows = true
	if s := ChildProposalMismatch(w, child).Error(); !strings.Contains(s, "aes256-sha1, from a Windows client") || !strings.Contains(s, command) {
		t.Errorf("not taken for Windows: %s", s)
	}
}

// TestWindowsSettings: the first proposal that Windows can be set to, with the strongest of each kind.
func TestWindowsSettings(t *testing.T) {
	for _, x := range []struct{ ike, esp, want string }{
		{"aes256-sha256-modp2048", "aes256-sha256", "-DHGroup Group14 -EncryptionMethod AES256 -IntegrityCheckMethod SHA256 " +
			"-CipherTransformConstants AES256 -AuthenticationTransformConstants SHA256128 -PfsGroup None"},
		{"chacha20poly1305-prfsha256-x25519 aes128gcm16-prfsha256-x25519-ecp256", "aes128-aes256-sha512-sha256-modp2048", "-DHGroup ECP256 -EncryptionMethod GCMAES128 " +
			"-IntegrityCheckMethod SHA256 -CipherTransformConstants AES256 -AuthenticationTransformConstants SHA256128 -PfsGroup PFS2048"},
		{"aes256-sha256-modp2048", "chacha20poly1305-x25519 aes128gcm16-x25519-none", "-DHGroup Group14 -EncryptionMethod AES256 -IntegrityCheckMethod SHA256 " +
			"-CipherTransformConstants GCMAES128 -AuthenticationTransformConstants GCMAES128 -PfsGroup None"},
		{"aes256-sha256-modp2048", "aes256-sha256-x25519", ""},     // a group that it does not have, and none without
		{"aes256-sha256-modp2048", "aes256-sha512-modp2048", ""},   // SHA-512 is not there
		{"aes256-sha256-modp2048", "aes256gcm16-modp2048-esn", ""}, // nor are extended sequence numbers
		{"aes256-sha512-modp2048", "aes256gcm16-modp2048", ""},     // nor is SHA-512 for IKE
		{"aes256-sha256-modp3072", "aes256gcm16-modp2048", ""},     // nor any other group
		{"aes256-sha256-modp2048-ke1_mlkem768", "aes256gcm16-modp2048", ""},
		{"aes256-sha256-modp2048", "aes256gcm16-modp2048-ke1_mlkem768", ""},
		{"aes256-sha384-ecp384-ke1_mlkem768 aes256-sha256-modp2048-ke1_mlkem768-ke1_none", "aes256-sha256", "-DHGroup Group14 -EncryptionMethod AES256 -IntegrityCheckMethod SHA256 " +
			"-CipherTransformConstants AES256 -AuthenticationTransformConstants SHA256128 -PfsGroup None"},
	} {
		w, ok := WindowsSettings(strings.Fields(x.ike), strings.Fields(x.esp))
		if got := w.String(); ok != (x.want != "") || ok && got != x.want {
			t.Errorf("%s and %s: %s, %v, want %s", x.ike, x.esp, got, ok, x.want)
		}
	}
}

func TestErrorChain(t *testing.T) {
	f := Malformed(testWhere("IKE_AUTH"), io.ErrUnexpectedEOF)
	err := fmt.Errorf("wrapped: %w", f)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause is not reachable")
	}
	if !errors.Is(err, &Failure{Code: CodeSyntax}) || errors.Is(err, &Failure{Code: CodeTS}) {
		t.Error("errors.Is does not compare codes")
	}
	var none *Failure
	if none.Error() == "" || none.LogValue().String() == "" {
		t.Error("a nil failure renders as nothing")
	}
}

func TestLogValue(t *testing.T) {
	var b bytes.Buffer
	l := slog.New(slog.NewTextHandler(&b, nil))
	l.Info("x", "failure", every()["AuthRefused"])
	for _, want := range []string{
		"failure.code=E-AUTH-REFUSED", "failure.reason=auth_refused", "failure.connection=office", "failure.child=net",
		"failure.exchange=IKE_AUTH", "failure.local=192.0.2.1:500", "failure.remote=203.0.113.7:500",
		"failure.peer_id=site-b.example", "failure.by_peer=true", "failure.notify=AUTHENTICATION_FAILED",
		"failure.ours=", "failure.config=gw.toml:30", "failure.fix=",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in %s", want, b.String())
		}
	}
	for _, unwanted := range []string{"theirs=", "closest=", "differs=", "cause="} {
		if strings.Contains(b.String(), unwanted) {
			t.Errorf("empty field %q in %s", unwanted, b.String())
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"[::ffff:192.0.2.1]:500", "192.0.2.1:500"}, {"[2001:db8::1]:4500", "[2001:db8::1]:4500"}, {"192.0.2.1:0", "192.0.2.1"},
	} {
		if got := addrPort(netip.MustParseAddrPort(c.in)); got != c.want {
			t.Errorf("addrPort(%s) = %s, want %s", c.in, got, c.want)
		}
	}
	if got := addrPort(netip.AddrPort{}); got != "" {
		t.Errorf("addrPort of nothing = %q", got)
	}
}

// fromICMP is an ICMP message as the packet loop gives it.
type fromICMP struct {
	syscall.Errno
	from       string
	prohibited bool
}

func (m fromICMP) Unwrap() error      { return m.Errno }
func (m fromICMP) Sender() netip.Addr { return netip.MustParseAddr(m.from) }
func (m fromICMP) Prohibited() bool   { return m.prohibited }

// Whoever cannot be reached is said to be so by an ICMP message of its own, by a router or a firewall on the way, or by this host; the
// fix is for that one case.
func TestUnreachableBy(t *testing.T) {
	for _, c := range []struct {
		name      string
		cause     error
		want, fix string
	}{
		{"port, the peer", fromICMP{syscall.ECONNREFUSED, "203.0.113.7", false}, "from the peer itself", "start the IKE daemon at 203.0.113.7:500"},
		{"port, not known by whom", syscall.ECONNREFUSED, "from the peer itself", "start the IKE daemon at 203.0.113.7:500"},
		{"port, a firewall", fromICMP{syscall.ECONNREFUSED, "198.51.100.1", false}, "port unreachable from 198.51.100.1", "firewall at 198.51.100.1"},
		{"prohibited", fromICMP{syscall.EHOSTUNREACH, "198.51.100.1", true}, `ICMP "prohibited" from 198.51.100.1`, "firewall at 198.51.100.1"},
		{"a router", fromICMP{syscall.ENETUNREACH, "198.51.100.1", false}, "unreachable from 198.51.100.1", "see at 198.51.100.1"},
		{"the next hop", fromICMP{syscall.EHOSTUNREACH, "192.0.2.1", false}, "next hop that does not answer", "ip route get 203.0.113.7"},
		{"no route", syscall.ENETUNREACH, "nowhere in the routing table of this host", "add a route to 203.0.113.7:500"},
		{"no route, by a rule", syscall.EHOSTUNREACH, "nowhere in the routing table of this host", "add a route to 203.0.113.7:500"},
	} {
		f := Unreachable(testWhere("IKE_SA_INIT"), c.cause)
		if s := f.Summary(); !strings.Contains(s, c.want) || !strings.Contains(f.Advice(), c.fix) || strings.Contains(s, "ICMP") == strings.Contains(s, "this host") {
			t.Errorf("%s: %v", c.name, f)
		}
	}
}

// A peer that no connection is for may be behind a NAT, and may have called another address.
func TestNearestConnection(t *testing.T) {
	w := testWhere("IKE_SA_INIT")
	w.Remote = netip.MustParseAddrPort("203.0.113.7:1079")
	f := NoConnection(w, nil, Nearest{"office", "remote_addrs", "198.51.100.20", "gw.toml:9"})
	if !strings.Contains(f.Theirs, "from port 1079, so most likely through a NAT") || !strings.Contains(f.Fix, `"%any"`) {
		t.Errorf("%v", f)
	}
	f = NoConnection(w, nil, Nearest{"office", "local_addrs", "192.0.2.9", "gw.toml:8"})
	if !strings.Contains(f.Fix, "add 192.0.2.1 to its local_addrs (gw.toml:8)") || strings.Contains(f.Fix, "%any") {
		t.Errorf("%v", f)
	}
}

// A port that is wanted at all addresses may be taken at one that nothing needs.
func TestBoundEverywhere(t *testing.T) {
	w := testWhere("")
	for addr, want := range map[string]bool{"0.0.0.0:500": true, "[::]:500": true, "192.0.2.1:500": false} {
		w.Local = netip.MustParseAddrPort(addr)
		if fix := BindFailed(w, "ike.port", syscall.EADDRINUSE).Fix; strings.Contains(fix, "mobike_addrs") != want {
			t.Errorf("%s: %s", addr, fix)
		}
	}
}

// The port that is taken is that of the one key or of the other.
func TestPortThatIsTaken(t *testing.T) {
	for _, key := range []string{"ike.port", "ike.port_nat_t"} {
		for _, errno := range []error{syscall.EADDRINUSE, syscall.EACCES} {
			if f := BindFailed(testWhere(""), key, errno); !regexp.MustCompile(`set (another )?` + key + `( to|\.$)`).MatchString(f.Advice()) {
				t.Errorf("%v", f)
			}
		}
	}
}
