package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestNoSecretIsLogged runs handshakes that succeed and fail, rekeys, reloads and asks for everything that can be asked
// for, all at the most talkative level, and looks for the pre-shared keys and for all session keys in what came out.
func TestNoSecretIsLogged(t *testing.T) {
	const wrongPSK = "wrong-but-still-secret-K8s2mV1t"
	l := newLab(t)
	keys := l.path("keys")
	left, right := l.pair(func(s *side) { s.top = fmt.Sprintf("[debug]\nsave_keys = %q\n", keys+"-"+s.name) })
	echo(t, left, right, "some octets")
	var out strings.Builder
	ask := func(n *node, args ...string) {
		code, stdout, stderr := cli(append(args, "--socket", n.socket)...)
		fmt.Fprintln(&out, code, stdout, stderr)
	}
	for _, name := range []string{"net", "lab"} {
		before := left.seen.count()
		ask(left, "rekey", name)
		left.seen.await(t, "the rekeying of "+name, func(w *watcher) bool { return w.childRekeys+w.ikeRekeys > before })
	}

	stranger := leftSide(right.natt())
	stranger.name, stranger.psk, stranger.inner = "stranger", wrongPSK, "10.3.0.1"
	wrong := leftSide(right.natt())
	wrong.psk = wrongPSK
	l2 := newLab(t)
	for _, s := range []side{stranger, wrong} {
		n := l2.start(s)
		n.seen.await(t, "the failure", func(w *watcher) bool { return len(w.failures) > 0 })
		ask(n, "status", "--json")
		ask(n, "initiate", "lab")
		out.WriteString(n.log.String())
	}
	for _, n := range []*node{left, right} {
		_, _ = n.reload(t.Context())
		os.WriteFile(n.conf.File, []byte(strings.Replace(l.text(rightSide()), "secret =", "secrte =", 1)), 0o600)
		_, _ = n.reload(t.Context())
		ask(n, "status")
		ask(n, "status", "--json")
		ask(n, "initiate", "nope")
		r, err := http.Get("http://" + n.http.l.Addr().String() + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(&out, r.Body)
		r.Body.Close()
		code, stdout, stderr := cli("check", n.conf.File)
		fmt.Fprintln(&out, code, stdout, stderr)
		if err := n.stop(); err != nil {
			t.Error(err)
		}
		out.WriteString(n.log.String())
	}
	text := out.String()
	if !strings.Contains(text, "IKE_AUTH") || !strings.Contains(text, "E-AUTH-PSK") || !strings.Contains(text, "secrte") ||
		!strings.Contains(text, "level=DEBUG") || !strings.Contains(text, "ipsec_build_info") {
		t.Fatalf("this is not all that there should be:\n%s", text)
	}

	secrets := [][]byte{[]byte(testPSK), []byte(wrongPSK)}
	hexKey := regexp.MustCompile(`[0-9a-f]{32,}`)
	for _, name := range []string{"left", "right"} {
		for _, file := range []string{ikeTable, espTable} {
			data, err := os.ReadFile(l.path("keys-" + name + "/" + file))
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range hexKey.FindAllString(string(data), -1) {
				k, err := hex.DecodeString(key)
				if err != nil {
					t.Fatal(err)
				}
				secrets = append(secrets, k)
			}
		}
	}
	// Two IKE SAs with two keys each, two CHILD SAs with two keys each, at both ends.
	if len(secrets) < 2+2*(2*2+2*2) {
		t.Fatalf("only %d secrets", len(secrets))
	}
	lower := strings.ToLower(text)
	for _, s := range secrets {
		// The key, its first half, which would be as bad, and the forms in which octets are usually printed.
		for _, part := range [][]byte{s, s[:len(s)/2]} {
			for _, form := range []string{
				string(part), fmt.Sprint(part), base64.StdEncoding.EncodeToString(part[:len(part)/3*3]),
				strings.Trim(fmt.Sprintf("%q", part), `"`),
			} {
				if strings.Contains(text, form) {
					t.Errorf("a secret is in the output as %q", form)
				}
			}
			if strings.Contains(lower, hex.EncodeToString(part)) {
				t.Errorf("a secret is in the output as %x", part)
			}
		}
	}
}
