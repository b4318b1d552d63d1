// Bytes of other encoders: `zlib LEVEL...` reads windows, each behind its length (4 bytes, big-endian), and prints a line
// "ENCODER LEVEL BYTES CPU-MS" for each encoder and level.
package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"syscall"

	fast "github.com/klauspost/compress/zlib"
)

type writer interface {
	io.WriteCloser
	Reset(io.Writer)
}

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	var windows [][]byte
	for len(input) > 0 {
		end := 4 + binary.BigEndian.Uint32(input)
		windows = append(windows, input[4:end])
		input = input[end:]
	}
	for _, text := range os.Args[1:] {
		level, err := strconv.Atoi(text)
		if err != nil {
			log.Fatal(err)
		}
		measure("go", level, windows, func(w io.Writer) (writer, error) { return zlib.NewWriterLevel(w, level) })
		measure("klauspost", level, windows, func(w io.Writer) (writer, error) { return fast.NewWriterLevel(w, level) })
	}
}

func measure(name string, level int, windows [][]byte, open func(io.Writer) (writer, error)) {
	var out bytes.Buffer
	encoder, err := open(&out)
	if err != nil {
		log.Fatal(err)
	}
	total := 0
	began := cpu()
	for _, window := range windows {
		out.Reset()
		encoder.Reset(&out)
		if _, err := encoder.Write(window); err != nil {
			log.Fatal(err)
		}
		if err := encoder.Close(); err != nil {
			log.Fatal(err)
		}
		total += out.Len()
	}
	fmt.Printf("%s %d %d %.3f\n", name, level, total, cpu()-began)
}

// Milliseconds of CPU of this process.
func cpu() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
}
