//go:build ignore

// Command extract makes limbo.json.gz of two test suites for certification paths, both under the Apache License 2.0:
//
//   - limbo.json of x509-limbo (https://github.com/C2SP/x509-limbo; "python -m limbo compile"): all but the cases from
//     the Internet;
//   - the export of bettertls (https://github.com/Netflix/bettertls; "go run ./test-suites/cmd/bettertls export-tests"):
//     all about building paths, and each 40th about name constraints.
//
// Private keys and descriptions are left out, and each certificate is there once.
//
//	go run extract.go LIMBO.json BETTERTLS.json >limbo.json.gz
package main

import (
	"compress/gzip"
	"encoding/json"
	"encoding/pem"
	"log"
	"net"
	"os"
	"strings"
	"time"
)

// Case is a case as limbo_test.go reads it; certificates are places in Suite.Certs.
type Case struct {
	ID            string    `json:"id"`
	Anchors       []int     `json:"anchors,omitempty"`
	Intermediates []int     `json:"between,omitempty"`
	End           int       `json:"end"`
	Time          time.Time `json:"time"`
	Names         []Name    `json:"names,omitempty"`
	Accept        bool      `json:"accept,omitempty"`
	Features      []string  `json:"features,omitempty"`
	CRLs          [][]byte  `json:"crls,omitempty"`
}

// Name is a name that the end must have.
type Name struct {
	Kind  string `json:"kind"` // DNS, IP or RFC822
	Value string `json:"value"`
}

// Suite is the whole file.
type Suite struct {
	Certs [][]byte `json:"certs"`
	Cases []Case   `json:"cases"`
	index map[string]int
}

func (s *Suite) cert(der []byte) int {
	if i, ok := s.index[string(der)]; ok {
		return i
	}
	s.Certs = append(s.Certs, der)
	s.index[string(der)] = len(s.Certs) - 1
	return len(s.Certs) - 1
}

func (s *Suite) pems(texts []string) []int {
	var out []int
	for _, t := range texts {
		out = append(out, s.cert(unpem(t)))
	}
	return out
}

func unpem(text string) []byte {
	b, _ := pem.Decode([]byte(text))
	if b == nil {
		log.Fatalf("no PEM: %s", text)
	}
	return b.Bytes
}

const constraintsStep = 40

func main() {
	s := &Suite{index: map[string]int{}}
	s.limbo(os.Args[1])
	s.bettertls(os.Args[2])
	z, err := gzip.NewWriterLevel(os.Stdout, gzip.BestCompression)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(z).Encode(s); err != nil {
		log.Fatal(err)
	}
	if err := z.Close(); err != nil {
		log.Fatal(err)
	}
}

func read(file string, into any) {
	b, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		log.Fatal(err)
	}
}

func (s *Suite) limbo(file string) {
	var in struct {
		Testcases []struct {
			ID        string     `json:"id"`
			Trusted   []string   `json:"trusted_certs"`
			Untrusted []string   `json:"untrusted_intermediates"`
			Peer      string     `json:"peer_certificate"`
			Time      *time.Time `json:"validation_time"`
			Expected  string     `json:"expected_result"`
			PeerName  *Name      `json:"expected_peer_name"`
			PeerNames []Name     `json:"expected_peer_names"`
			Features  []string   `json:"features"`
			CRLs      []string   `json:"crls"`
		} `json:"testcases"`
	}
	read(file, &in)
	for _, t := range in.Testcases {
		if strings.HasPrefix(t.ID, "online::") {
			continue
		}
		c := Case{ID: t.ID, Anchors: s.pems(t.Trusted), Intermediates: s.pems(t.Untrusted), End: s.cert(unpem(t.Peer)),
			Names: t.PeerNames, Accept: t.Expected == "SUCCESS", Features: t.Features}
		if t.PeerName != nil {
			c.Names = append(c.Names, *t.PeerName)
		}
		if t.Time != nil {
			c.Time = *t.Time
		}
		for _, crl := range t.CRLs {
			c.CRLs = append(c.CRLs, unpem(crl))
		}
		s.Cases = append(s.Cases, c)
	}
}

func (s *Suite) bettertls(file string) {
	var in struct {
		Root   []byte `json:"trustRoot"`
		Suites map[string]struct {
			TestCases []struct {
				ID       int      `json:"id"`
				Certs    [][]byte `json:"certificates"`
				Host     string   `json:"hostname"`
				Features []string `json:"requiredFeatures"`
				Expected string   `json:"expected"`
				Warning  bool     `json:"failureIsWarning"`
			} `json:"testCases"`
		} `json:"suites"`
	}
	read(file, &in)
	for _, name := range []string{"pathbuilding", "nameconstraints"} {
		for _, t := range in.Suites[name].TestCases {
			if name == "nameconstraints" && t.ID%constraintsStep != 0 {
				continue
			}
			c := Case{ID: "bettertls::" + name + "::tc" + strings.TrimSpace(jsonNumber(t.ID)), Anchors: []int{s.cert(in.Root)},
				End: s.cert(t.Certs[0]), Names: []Name{{"DNS", t.Host}}, Accept: t.Expected == "ACCEPT", Features: t.Features}
			if net.ParseIP(t.Host) != nil {
				c.Names[0].Kind = "IP"
			}
			if t.Warning {
				c.Features = append(c.Features, "either")
			}
			for _, der := range t.Certs[1:] {
				c.Intermediates = append(c.Intermediates, s.cert(der))
			}
			s.Cases = append(s.Cases, c)
		}
	}
}

func jsonNumber(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}
