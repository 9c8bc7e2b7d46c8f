// Package integration tests Esplanade from outside, against peers that nobody here wrote: strongSwan at the other
// end of the tunnel, tshark on the wire, swanctl on the control socket.
//
// The tests need Linux, root, /dev/net/tun and the Debian packages of integration/deps/install. What is missing is
// named and the test is skipped, unless ESPLANADE_INTEGRATION=require is set, which makes it fail. `make
// integration ARGS=-v` runs them with their output.
//
//	lab/        hosts (network namespaces), processes, bulk transfers, probes, captures
//	peer/       a gateway on a host: strongSwan or Esplanade, described and driven in the same way
//	wireshark/  tshark with keys: everything decrypts, nothing is malformed
//	deps/       what Debian must have for all this
//	gates/      what holds of the repository itself: imports, documentation, formatting
//	mutants/    lines that matter, broken one by one, and the tests that must notice
//
// Most tests are a table of cases times a list of pairs: which kind of gateway initiates, and which responds. To see
// whether a table is right, run it between two strongSwans:
//
//	ESPLANADE_INTEGRATION_PAIRS=strongswan-strongswan go test ./integration -run TestTunnel -v
//
// Further variables: ESPLANADE_INTEGRATION_RACE=1 builds the daemon with the race detector, as make integration does where there
// is a C compiler; ESPLANADE_BINARY tests a ready binary in place of this checkout; ESPLANADE_ARTEFACTS=DIR keeps logs,
// configurations and captures of failed tests in DIR.
package integration
