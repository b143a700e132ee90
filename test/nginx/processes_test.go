package nginx

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os/exec"
	"syscall"
	"testing"

	"github.com/limpet-dev/limpet/test/certificates"
	"github.com/limpet-dev/limpet/test/wait"
)

// startProcess starts a program, which ends with the test. Its log is printed if it ends with an error.
func startProcess(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var logs bytes.Buffer
	cmd.Stderr = &logs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Logf("%s ended with %v; it logged:\n%s", cmd.Path, err, logs.String())
		}
	})
}

// awaitListener waits until a process listens on an address.
func awaitListener(t *testing.T, address string) {
	t.Helper()
	wait.Until(t, "a process listens on "+address, func() bool {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
}

// keyPair returns a certificate and its key as PEM.
func keyPair(t *testing.T, names ...string) (cert, key []byte) {
	t.Helper()
	pair := certificates.SelfSigned(t, x509.Certificate{DNSNames: names})
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
