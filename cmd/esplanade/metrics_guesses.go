package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"esplanade/ike/eap"
	"esplanade/ike/eap/guess"
)

// guessDescs are the metrics of passwords of users that this gateway compares itself.
type guessDescs struct{ passwords, pauses *prometheus.Desc }

func newGuessDescs(d func(name, help string, labels ...string) *prometheus.Desc) guessDescs {
	return guessDescs{
		passwords: d("eap_passwords_total", "Passwords of users that were right, that were wrong, and that were not compared in a pause after wrong ones.", "result"),
		pauses:    d("eap_pauses", "Pauses after wrong passwords: of a user from one source, of a name from everywhere, of a source.", "kind"),
	}
}

func (g guessDescs) all() []*prometheus.Desc { return []*prometheus.Desc{g.passwords, g.pauses} }

func (g guessDescs) collect(gauge func(*prometheus.Desc, float64, ...string), count func(*prometheus.Desc, uint64, ...string), r guess.Report) {
	count(g.passwords, r.Right, "right")
	count(g.passwords, r.Wrong, "wrong")
	count(g.passwords, r.Refused, "refused")
	for of, n := range r.Paused {
		gauge(g.pauses, float64(n), eap.PauseOf(of).String())
	}
}
