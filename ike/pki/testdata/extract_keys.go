//go:build ignore

// Command extract_keys makes keys.json.gz of the public keys in Wycheproof (https://github.com/C2SP/wycheproof, Apache
// License 2.0): those of testvectors_v1/ecdh_secp*_test.json, x25519_asn_test.json and x448_asn_test.json, each once,
// and of the valid ones the first ten of a file.
//
//	go run extract_keys.go testvectors_v1/ecdh_secp{224,256,384,521}r1_test.json … >keys.json.gz
package main

import (
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"log"
	"os"
)

// Key is a SubjectPublicKeyInfo with what Wycheproof says of the exchange that it is for.
type Key struct {
	Info   []byte   `json:"info"`
	Curve  string   `json:"curve"`
	Result string   `json:"result"`
	Flags  []string `json:"flags"`
}

const maxValid = 10

func main() {
	var all []Key
	seen := map[string]bool{}
	for _, file := range os.Args[1:] {
		var in struct {
			Groups []struct {
				Curve string `json:"curve"`
				Tests []struct {
					Public, Result string
					Flags          []string
				} `json:"tests"`
			} `json:"testGroups"`
		}
		b, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		if err := json.Unmarshal(b, &in); err != nil {
			log.Fatal(err)
		}
		valid := 0
		for _, g := range in.Groups {
			for _, t := range g.Tests {
				if t.Result == "valid" {
					valid++
				}
				if seen[t.Public] || t.Result == "valid" && valid > maxValid {
					continue
				}
				seen[t.Public] = true
				info, err := hex.DecodeString(t.Public)
				if err != nil {
					log.Fatal(err)
				}
				all = append(all, Key{info, g.Curve, t.Result, t.Flags})
			}
		}
	}
	z := gzip.NewWriter(os.Stdout)
	if err := json.NewEncoder(z).Encode(all); err != nil {
		log.Fatal(err)
	}
	if err := z.Close(); err != nil {
		log.Fatal(err)
	}
}
