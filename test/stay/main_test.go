package stay

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/limpet-dev/limpet/test/sandbox"
)

// binary is the limpet under test, built by TestMain.
var binary string

func TestMain(m *testing.M) { sandbox.Main(m, buildLimpet) }

func buildLimpet() (func(), error) {
	dir, err := os.MkdirTemp("", "limpet-stay-")
	if err != nil {
		return nil, err
	}
	binary = filepath.Join(dir, "limpet")
	out, err := exec.Command("go", "build", "-o", binary, "../../cmd/limpet").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("building limpet: %w\n%s", err, out)
	}
	return func() { os.RemoveAll(dir) }, nil
}
