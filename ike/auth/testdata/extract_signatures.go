//go:build ignore

// Command extract_signatures makes signatures.json.gz of the signatures in Wycheproof (https://github.com/C2SP/wycheproof, Apache License
// 2.0), from the files of testvectors_v1 that are given: those of RSA with both paddings, ECDSA in DER and as r and s, Ed25519 and Ed448.
//
//	go run extract_signatures.go testvectors_v1/{rsa_signature_2048_sha256,rsa_pss_2048_sha256_mgf1_32,ecdsa_secp256r1_sha256,…}_test.json >signatures.json.gz
package main

import (
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"strings"
)

// Group are signatures of one key, a SubjectPublicKeyInfo.
type Group struct {
	File  string `json:"file"`
	Key   []byte `json:"key"`
	Tests []Test `json:"tests"`
}

// Test is one of them, with what Wycheproof says of it.
type Test struct {
	Message   []byte   `json:"message"`
	Signature []byte   `json:"signature"`
	Result    string   `json:"result"`
	Flags     []string `json:"flags"`
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		log.Fatal(err)
	}
	return b
}

func main() {
	var all []Group
	for _, file := range os.Args[1:] {
		var in struct {
			Groups []struct {
				Key   string `json:"publicKeyDer"`
				Tests []struct {
					Msg, Sig, Result string
					Flags            []string
				}
			} `json:"testGroups"`
		}
		b, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		if err := json.Unmarshal(b, &in); err != nil {
			log.Fatal(err)
		}
		for _, g := range in.Groups {
			out := Group{File: strings.TrimSuffix(filepath.Base(file), "_test.json"), Key: unhex(g.Key)}
			for _, t := range g.Tests {
				out.Tests = append(out.Tests, Test{unhex(t.Msg), unhex(t.Sig), t.Result, t.Flags})
			}
			all = append(all, out)
		}
	}
	z, err := gzip.NewWriterLevel(os.Stdout, gzip.BestCompression)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(z).Encode(all); err != nil {
		log.Fatal(err)
	}
	if err := z.Close(); err != nil {
		log.Fatal(err)
	}
}
