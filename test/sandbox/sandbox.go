package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// inside is the environment variable that marks the test binary in the sandbox.
const inside = "LIMPET_TEST_SANDBOX"

// Main implements TestMain for packages that need the sandbox. It runs the test binary again inside the sandbox,
// and exits with the same exit code. Inside, setup is called before the tests, and the function it returns after
// them. setup may be nil.
func Main(m *testing.M, setup func() (teardown func(), err error)) {
	os.Exit(Run(func() int { return runTests(m, setup) }))
}

// Run runs the program again inside the sandbox, with the same arguments, and returns its exit code. Inside, it calls program
// and returns its result.
func Run(program func() int) int {
	if os.Getenv(inside) == "" {
		return runInside()
	}
	if err := bringUpNetwork(); err != nil {
		fmt.Fprintf(os.Stderr, "sandbox: %v\n", err)
		return 1
	}
	return program()
}

func runTests(m *testing.M, setup func() (func(), error)) int {
	if setup == nil {
		return m.Run()
	}
	teardown, err := setup()
	if err != nil {
		fmt.Fprintf(os.Stderr, "sandbox: setting up the tests: %v\n", err)
		return 1
	}
	defer teardown()
	return m.Run()
}

// runInside runs the test binary with the same arguments in new namespaces.
func runInside() int {
	runtime.LockOSThread() // Pdeathsig is sent when the parent thread exits, not the process
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Geteuid() != 0 {
		asRoot(cmd.SysProcAttr)
	}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1)
	}
	fmt.Fprintf(os.Stderr, "sandbox: a network namespace is needed (root, or unprivileged user namespaces): %v\n", err)
	return 1
}

// asRoot maps the user to root in a new user namespace, which allows creating the other namespaces.
func asRoot(attr *syscall.SysProcAttr) {
	attr.Cloneflags |= syscall.CLONE_NEWUSER
	attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
}

// bringUpNetwork does the same as `ip link set lo up; ip address add 10.250.0.1/16 dev lo`. On the loopback device, the
// kernel treats all addresses of the prefix as local.
func bringUpNetwork() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening a socket: %w", err)
	}
	defer unix.Close(fd)
	for _, step := range []struct {
		name, device string
		request      uint
		set          func(*unix.Ifreq) error
	}{
		{"setting lo up", "lo", unix.SIOCSIFFLAGS, up},
		{"adding 10.250.0.1 to lo", "lo:1", unix.SIOCSIFADDR, address(10, 250, 0, 1)},
		{"widening it to 10.250.0.0/16", "lo:1", unix.SIOCSIFNETMASK, address(255, 255, 0, 0)},
	} {
		request, err := unix.NewIfreq(step.device)
		if err == nil {
			err = step.set(request)
		}
		if err == nil {
			err = unix.IoctlIfreq(fd, step.request, request)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

func up(r *unix.Ifreq) error {
	r.SetUint16(unix.IFF_UP | unix.IFF_LOOPBACK | unix.IFF_RUNNING)
	return nil
}

func address(a, b, c, d byte) func(*unix.Ifreq) error {
	return func(r *unix.Ifreq) error { return r.SetInet4Addr([]byte{a, b, c, d}) }
}
