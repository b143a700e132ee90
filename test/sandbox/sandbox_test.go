package sandbox_test

import (
	"net"
	"os"
	"testing"

	"github.com/limpet-dev/limpet/test/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m, nil) }

func TestPodAddresses_areLocal(t *testing.T) {
	for _, address := range []string{"10.250.0.1:8080", "10.250.3.77:8080", "10.250.255.254:8080", "127.0.0.1:0"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		listener.Close()
	}
}

func TestNetwork_hasNoExternalRoute(t *testing.T) {
	if conn, err := net.Dial("udp", "192.0.2.1:9"); err == nil { // TEST-NET-1; dialing UDP looks up a route and sends nothing
		conn.Close()
		t.Error("the sandbox has a route to other networks")
	}
}

func TestPIDNamespace(t *testing.T) {
	if pid := os.Getpid(); pid != 1 {
		t.Errorf("PID = %d, want 1", pid)
	}
}
