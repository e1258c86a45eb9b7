// Command ferretdb serves the MongoDB protocol from SQLite files, for tests.
//
// FerretDB 1 reads a document and writes it back in two steps, so that of two conditional updates at once both may
// match. MongoDB's updates are atomic. Commands therefore reach FerretDB one at a time.
package main

import (
	"context"
	"encoding/binary"
	"flag"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "the address to listen on")
	data := flag.String("data", "", "the folder of the SQLite files; it must exist")
	atomic := flag.Bool("atomic", true, "let one command at a time reach the database")
	flag.Parse()

	socket := filepath.Join(*data, "ferretdb.sock")
	_ = os.Remove(socket)
	config := ferretdb.ListenerConfig{TCP: *listen}
	if *atomic {
		config = ferretdb.ListenerConfig{Unix: socket}
	}
	server, err := ferretdb.New(&ferretdb.Config{Listener: config, Handler: "sqlite", SQLiteURL: "file:" + *data + "/"})
	if err != nil {
		log.Fatal(err)
	}
	if *atomic {
		front, err := net.Listen("tcp", *listen)
		if err != nil {
			log.Fatal(err)
		}
		go serve(front, socket)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err = server.Run(ctx); err != nil {
		log.Fatal(err)
	}
}

func serve(front net.Listener, socket string) {
	var turn sync.Mutex
	for {
		client, err := front.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer client.Close()
			database, err := net.Dial("unix", socket)
			if err != nil {
				return
			}
			defer database.Close()
			for takeTurn(&turn, client, database) == nil {
			}
		}()
	}
}

// takeTurn passes on one command and its answer.
func takeTurn(turn *sync.Mutex, client, database net.Conn) error {
	command, err := readMessage(client)
	if err != nil {
		return err
	}
	turn.Lock()
	defer turn.Unlock()
	if _, err = database.Write(command); err != nil {
		return err
	}
	answer, err := readMessage(database)
	if err != nil {
		return err
	}
	_, err = client.Write(answer)
	return err
}

// readMessage reads a message of the protocol, which starts with its length.
func readMessage(from io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(head[:])
	if length < 16 || length > 64<<20 {
		return nil, io.ErrUnexpectedEOF
	}
	message := make([]byte, length)
	copy(message, head[:])
	_, err := io.ReadFull(from, message[4:])
	return message, err
}
