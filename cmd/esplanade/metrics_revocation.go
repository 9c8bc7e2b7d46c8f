package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"esplanade/ike"
)

// revocationDescs are the metrics of looking for certificates that were revoked.
type revocationDescs struct{ waiting, refused, fetches, kept, octets *prometheus.Desc }

func newRevocationDescs(d func(name, help string, labels ...string) *prometheus.Desc) revocationDescs {
	return revocationDescs{
		waiting: d("revocation_waiting", "Peers of which it is not known yet whether their certificates were revoked."),
		refused: d("revocation_refused_total", "Peers that were refused since too many others waited for that."),
		fetches: d("revocation_fetches_total", "CRLs and OCSP answers that were fetched, by kind and result.", "kind", "result"),
		kept:    d("revocation_kept", "CRLs, OCSP answers and failures that are remembered.", "what"),
		octets:  d("revocation_kept_bytes", "About how much memory the CRLs and OCSP answers take that are remembered."),
	}
}

func (r revocationDescs) all() []*prometheus.Desc {
	return []*prometheus.Desc{r.waiting, r.refused, r.fetches, r.kept, r.octets}
}

func (r revocationDescs) collect(gauge func(*prometheus.Desc, float64, ...string), count func(*prometheus.Desc, uint64, ...string), w ike.RevocationWork) {
	gauge(r.waiting, float64(w.Waiting))
	count(r.refused, w.Refused)
	for k, n := range w.Fetches {
		count(r.fetches, n, k.Kind, k.Result)
	}
	gauge(r.kept, float64(w.Kept.Lists), "crl")
	gauge(r.kept, float64(w.Kept.Files), "file")
	gauge(r.kept, float64(w.Kept.Answers), "ocsp")
	gauge(r.kept, float64(w.Kept.Failures), "failure")
	gauge(r.octets, float64(w.Kept.Octets))
}
