package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// profiles is the heading of the manually written section, which is kept from the previous report.
const profiles = "## What the profiles show\n"

// publish prints the report, and writes it to the file if one was given.
func (b *bench) publish() error {
	var text strings.Builder
	b.report(&text)
	if _, err := io.WriteString(b.out, text.String()); err != nil {
		return err
	}
	if b.markdown == "" {
		return nil
	}
	old, err := os.ReadFile(b.markdown)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, kept, ok := strings.Cut(string(old), profiles); ok {
		fmt.Fprintf(&text, "\n%s%s", profiles, kept)
	}
	return os.WriteFile(b.markdown, []byte(text.String()), 0o644)
}

func (b *bench) report(w io.Writer) {
	fmt.Fprintf(w, "# Performance\n\nLimpet compared with other proxies, in one run of\n\n```\nmake bench%s\n```\n\n", b.flags)
	fmt.Fprintf(w, "All proxies have the same pods, the same sticky workload and one core. The pods and the clients share the"+
		" other\ncore. The figures are medians of %d interleaved rounds of %s per proxy, after one round to warm up. Figures in\n"+
		"brackets are relative to nginx. CPU is the user and kernel time of the proxy's processes. Busy is the share of the\n"+
		"run in which they used their core. If it is below 100 %%, the clients and pods were the limit, and requests per\n"+
		"second have little meaning. Noise is the interquartile range of CPU.\n\n",
		b.rounds, b.duration)
	b.machine(w)
	b.summary(w)
	for _, f := range b.findings {
		if f.workload.idle {
			b.reportIdle(w, f)
		} else {
			f.report(w)
		}
		for _, failure := range f.failures {
			fmt.Fprintf(w, "\nLeft out: %s.\n", failure)
		}
	}
}

func (b *bench) machine(w io.Writer) {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	fmt.Fprintf(w, "Machine: %s, %d cores, Linux %s.\n\n", processor(), runtime.NumCPU(), strings.TrimSpace(string(release)))
	for _, r := range b.rivals {
		fmt.Fprintf(w, "- %s: %s\n", r.name, r.version())
	}
	for _, why := range b.absent {
		fmt.Fprintf(w, "- %s\n", why)
	}
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "processor unknown"
	}
	_, rest, _ := strings.Cut(string(text), "model name")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimLeft(line, "\t :")
}

func (b *bench) summary(w io.Writer) {
	fmt.Fprint(w, "\n## Targets\n\n")
	t := newTable("workload", "against", "limpet is", "target", "")
	for _, f := range b.findings {
		for _, one := range f.targets() {
			t.row(f.workload.name, one.about(), fmt.Sprintf("%.2f%s", one.is, one.unit), fmt.Sprintf("%.2f%s", one.most, one.unit),
				one.verdict())
		}
	}
	t.write(w)
}

func (f *finding) report(w io.Writer) {
	fmt.Fprintf(w, "\n## %s: %s\n\n", f.workload.name, f.workload.title)
	if f.perSecond > 0 {
		fmt.Fprintf(w, "%.0f requests per second at all proxies. Latency begins when a request is due, even if its client still"+
			" waits for\nanother response. The ratios and targets are of the 99th percentile.\n\n", f.perSecond)
	}
	t := newTable("proxy", "CPU us/"+f.workload.unit, "limpet to it", "target", f.workload.unit+"s/s", "p50 us", "p99 us",
		"p99.9 us", "peak MiB", "busy", "noise")
	base := f.find(nginxName)
	for _, p := range f.proxies {
		figure := func(of func(result) float64, digits int) string {
			return beside(p.median(of), base, func(q *proxy) float64 { return q.median(of) }, digits)
		}
		t.row(p.rival.name, figure(cpu, 1),
			f.limpetTo(p), f.targetText(p),
			figure(perSecond, 0), figure(p50, 0), figure(p99, 0), figure(p999, 0),
			beside(float64(p.memory)/mib, base, func(q *proxy) float64 { return float64(q.memory) / mib }, 0),
			percent(p.median(busy)), percent((p.quantile(cpu, 0.75)-p.quantile(cpu, 0.25))/p.median(cpu)))
	}
	t.write(w)
	fmt.Fprintf(w, "\nOther programs used %s of the proxies' core.\n", percent(f.others))
}

// limpetTo returns the ratio of Limpet's figure to the proxy's.
func (f *finding) limpetTo(p *proxy) string {
	own, figure := f.find(limpetName), f.workload.counts()
	if own == nil {
		return ""
	}
	return fmt.Sprintf("%.2f", own.median(figure)/p.median(figure))
}

// targetText describes the target that refers to the proxy.
func (f *finding) targetText(p *proxy) string {
	for _, t := range f.targets() {
		if t.against == p {
			return fmt.Sprintf("%.2f", t.most)
		}
	}
	return ""
}

func (b *bench) reportIdle(w io.Writer, f *finding) {
	fmt.Fprintf(w, "\n## %s: %s\n\n%d connections.\n\n", f.workload.name, f.workload.title, b.idle)
	t := newTable("proxy", "KiB each", "limpet to it", "target", "peak MiB")
	base := f.find(nginxName)
	for _, p := range f.proxies {
		t.row(p.rival.name,
			beside(p.median(resident)/kib, base, func(q *proxy) float64 { return q.median(resident) / kib }, 1),
			f.limpetTo(p), f.targetText(p),
			beside(float64(p.memory)/mib, base, func(q *proxy) float64 { return float64(q.memory) / mib }, 0))
	}
	t.write(w)
}

// beside formats a figure and, if there is a reference, its ratio to the reference in parentheses.
func beside(value float64, base *proxy, of func(*proxy) float64, digits int) string {
	if base == nil {
		return fmt.Sprintf("%.*f", digits, value)
	}
	return fmt.Sprintf("%.*f (%.2f)", digits, value, value/of(base))
}

func percent(part float64) string { return fmt.Sprintf("%.0f %%", part*100) }
