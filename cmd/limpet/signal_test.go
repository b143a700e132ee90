package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/test/wait"
)

// asProgram is the environment variable that makes the test binary run main, with its arguments treated as limpet's.
const asProgram = "RUN_AS_LIMPET"

func TestMain(m *testing.M) {
	for _, entry := range os.Environ() { // of the developer who runs the tests
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, variablePrefix) {
			os.Unsetenv(name)
		}
	}
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestSignal_secondOneEndsTheProcess(t *testing.T) {
	addresses := freeAddresses(t, 2)
	var stderr output
	cmd := exec.CommandContext(t.Context(), os.Args[0], "dev", "--manifests", t.TempDir(), "--stop-delay", "1h",
		"--http-addr", addresses[0], "--https-addr", "", "--admin-addr", addresses[1])
	cmd.Env, cmd.Stderr = append(os.Environ(), asProgram+"=1"), &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	wait.Until(t, "the process is ready", func() bool { return get(addresses[1], "/readyz") == "ok\n" })
	signal := func(s os.Signal) {
		if err := cmd.Process.Signal(s); err != nil {
			t.Errorf("sending %v: %v", s, err)
		}
	}
	signal(syscall.SIGTERM)
	wait.Until(t, "the process is stopping", func() bool { return strings.Contains(stderr.String(), "Stopping") })
	if get(addresses[0], "/") == "" {
		t.Error("the process does not serve during the stop delay")
	}
	signal(os.Interrupt)
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != exitFailure {
			t.Errorf("ended with %v, want status %d", err, exitFailure)
		}
	case <-time.After(time.Minute):
		t.Fatal("the second signal does not end the process")
	}
}
