package main

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	"esplanade/ike/vici"
)

// printStates writes both directions of a CHILD SA.
func printStates(w io.Writer, s vici.ESPSA, o xfrmOptions) {
	if s.Out.Installed {
		printState(w, &s, &s.Out, s.Local, s.Remote, o)
	}
	if s.In.Installed {
		printState(w, &s, &s.In, s.Remote, s.Local, o)
	}
}

// printState writes one SA in iproute2's format.
func printState(w io.Writer, s *vici.ESPSA, d *vici.ESPDirection, src, dst netip.AddrPort, o xfrmOptions) {
	in := d == &s.In
	fmt.Fprintf(w, "src %s dst %s\n", src.Addr().Unmap(), dst.Addr().Unmap())
	number := func(text string, n uint32, format string) string {
		if !o.statistics {
			return text
		}
		return text + fmt.Sprintf(format, n)
	}
	fmt.Fprintf(w, "\tproto esp spi %s reqid %s mode %s\n", number(fmt.Sprintf("0x%08x", d.SPI), d.SPI, "(%d)"), number(fmt.Sprint(s.ReqID), s.ReqID, "(0x%08x)"), s.Mode)
	flags, bits := "af-unspec", 0x20
	if s.ESN {
		flags, bits = flags+" esn", bits|0x80
	}
	if o.statistics {
		fmt.Fprintf(w, "\treplay-window 0 seq 0x00000000 flag %s (0x%08b)\n", flags, bits)
	} else {
		fmt.Fprintf(w, "\treplay-window 0 flag %s\n", flags)
	}
	for _, a := range xfrmAlgorithms(s) {
		key, size := d.EncrKey, a.encrOctets
		if a.kind == "auth-trunc" {
			key, size = d.IntegKey, a.integOctets
		}
		text := "<<Keys hidden>>"
		switch {
		case o.keys && len(key) > 0:
			text = fmt.Sprintf("0x%x", key)
		case size == 0: // NULL has none
			text = ""
		}
		if o.statistics {
			text += fmt.Sprintf(" (%d bits)", 8*size)
		}
		if a.icvBits > 0 {
			text += fmt.Sprintf(" %d", a.icvBits)
		}
		fmt.Fprintf(w, "\t%s %s %s\n", a.kind, a.name, text)
	}
	if s.UDP {
		any := "0.0.0.0"
		if src.Addr().Unmap().Is6() {
			any = "::"
		}
		fmt.Fprintf(w, "\tencap type espinudp sport %d dport %d addr %s\n", src.Port(), dst.Port(), any)
	}
	if !d.Last.IsZero() {
		fmt.Fprintf(w, "\tlastused %s\n", xfrmTime(d.Last))
	}
	if in || s.ESN {
		seq, oseq, window := d.Seq, uint64(0), s.ReplayWindow
		if !in {
			seq, oseq, window = 0, d.Seq, 0
		}
		fmt.Fprintf(w, "\tanti-replay esn context:\n\t seq-hi 0x%x, seq 0x%x, oseq-hi 0x%x, oseq 0x%x\n\t replay_window %d, bitmap-length 0\n",
			seq>>32, uint32(seq), oseq>>32, uint32(oseq), window)
	} else {
		fmt.Fprintf(w, "\tanti-replay context: seq 0x0, oseq 0x%x, bitmap 0x00000000\n", uint32(d.Seq))
	}
	if in {
		fmt.Fprint(w, "\tdir in\n")
	} else {
		fmt.Fprint(w, "\tdir out\n")
	}
	if o.statistics {
		printLifetimes(w, s, d)
	}
}

// printLifetimes writes limits and what has gone through. A kernel has when an SA was used first; the daemon, last.
func printLifetimes(w io.Writer, s *vici.ESPSA, d *vici.ESPDirection) {
	limit := func(n uint64, unit string) string {
		if n == 0 {
			return "(INF)(" + unit + ")"
		}
		return fmt.Sprintf("%d(%s)", n, unit)
	}
	age := func(t time.Time) int {
		if t.IsZero() {
			return 0
		}
		return int(t.Sub(s.Installed).Round(time.Second) / time.Second)
	}
	soft, hard := vici.ESPLimits{}, vici.ESPLimits{}
	if d == &s.Out {
		soft, hard = s.Soft, s.Hard
	}
	use := "-"
	if !d.Last.IsZero() {
		use = xfrmTime(d.Last)
	}
	fmt.Fprintf(w, "\tlifetime config:\n\t  limit: soft %s, hard %s\n\t  limit: soft %s, hard %s\n\t  expire add: soft %d(sec), hard %d(sec)\n\t  expire use: soft 0(sec), hard 0(sec)\n",
		limit(soft.Bytes, "bytes"), limit(hard.Bytes, "bytes"), limit(soft.Packets, "packets"), limit(hard.Packets, "packets"), age(s.RekeyAt), age(s.ExpireAt))
	fmt.Fprintf(w, "\tlifetime current:\n\t  %d(bytes), %d(packets)\n\t  add %s use %s\n", d.Bytes, d.Packets, xfrmTime(s.Installed), use)
}

func xfrmTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// xfrmAlgorithm is one line of an SA about an algorithm.
type xfrmAlgorithm struct {
	kind, name              string
	encrOctets, integOctets int
	icvBits                 int
}

// xfrmAlgorithms are Linux's names for the algorithms of an SA, in the order of iproute2, with the sizes of their keys, salts included.
func xfrmAlgorithms(s *vici.ESPSA) (out []xfrmAlgorithm) {
	if a, ok := xfrmIntegrity()[s.Integ]; ok {
		out = append(out, a)
	} else if s.Integ != "" {
		out = append(out, xfrmAlgorithm{kind: "auth-trunc", name: s.Integ})
	}
	octets := s.EncrKeySize / 8
	const salt = 4
	switch e := s.Encr; e {
	case "AES_GCM_8", "AES_GCM_12", "AES_GCM_16":
		var icv int
		fmt.Sscanf(e, "AES_GCM_%d", &icv)
		return []xfrmAlgorithm{{kind: "aead", name: "rfc4106(gcm(aes))", encrOctets: octets + salt, icvBits: 8 * icv}}
	case "CHACHA20_POLY1305":
		return []xfrmAlgorithm{{kind: "aead", name: "rfc7539esp(chacha20,poly1305)", encrOctets: 32 + salt, icvBits: 128}}
	case "AES_CBC":
		out = append(out, xfrmAlgorithm{kind: "enc", name: "cbc(aes)", encrOctets: octets})
	case "AES_CTR":
		out = append(out, xfrmAlgorithm{kind: "enc", name: "rfc3686(ctr(aes))", encrOctets: octets + salt})
	case "NULL":
		out = append(out, xfrmAlgorithm{kind: "enc", name: "ecb(cipher_null)"})
	default:
		out = append(out, xfrmAlgorithm{kind: "enc", name: e, encrOctets: octets})
	}
	return out
}

func xfrmIntegrity() map[string]xfrmAlgorithm {
	list := map[string]xfrmAlgorithm{}
	for _, x := range []struct {
		iana, linux string
		key, bits   int
	}{
		{"HMAC_SHA1_96", "hmac(sha1)", 20, 96}, {"HMAC_SHA2_256_128", "hmac(sha256)", 32, 128}, {"HMAC_SHA2_384_192", "hmac(sha384)", 48, 192},
		{"HMAC_SHA2_512_256", "hmac(sha512)", 64, 256}, {"AES_XCBC_96", "xcbc(aes)", 16, 96}, {"AES_CMAC_96", "cmac(aes)", 16, 96},
	} {
		list[x.iana] = xfrmAlgorithm{kind: "auth-trunc", name: x.linux, integOctets: x.key, icvBits: x.bits}
	}
	return list
}
