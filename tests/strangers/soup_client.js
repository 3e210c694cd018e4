// SoupBinTCP as somebody else speaks it (npm soupbintcp, version 3.00), as a client of `outcry serve`: login, an order, its
// answers, the same bytes again after a new login, a wrong password, and the end of a session by either side.
// node soup_client.js MODULES PORT USER PASSWORD; prints a line for each check: "ok WHAT" or "not WHAT".
'use strict';
const [modules, port, user, password] = process.argv.slice(2);
const soup = require(modules + '/soupbintcp');

const check = (what, holds) => console.log((holds ? 'ok ' : 'not ') + what);
const timeout = setTimeout(() => { console.log('not in time'); process.exit(1); }, 20000);

// OUCH 5.0.
const enterOrder = (ref, side, shares, symbol, price) => {
  const m = Buffer.alloc(47, ' ');
  m.write('O', 0); m.writeUInt32BE(ref, 1); m.write(side, 5); m.writeUInt32BE(shares, 6); m.write(symbol.padEnd(8), 10);
  m.writeBigUInt64BE(BigInt(price), 18); m.write('0YPNN', 26); m.write('npm'.padEnd(14), 31); m.writeUInt16BE(0, 45);
  return m;
};
const cancelOrder = (ref) => {
  const m = Buffer.alloc(9);
  m.write('X', 0); m.writeUInt32BE(ref, 1); m.writeUInt32BE(0, 5);
  return m;
};

// Logs in, hands over what it hears, and calls `then` when it has heard enough.
const session = (credentials, onAccept, onMessage, onReject) => {
  const client = new soup.Client({ host: '127.0.0.1', port: Number(port) });
  client.on('connect', () => client.login(credentials));
  client.on('accept', (payload) => onAccept && onAccept(client, payload));
  client.on('message', (payload) => onMessage && onMessage(client, payload));
  client.on('reject', (payload) => onReject && onReject(client, payload));
  client.on('error', (error) => { console.log('not an error: ' + error.message); });
  return client;
};
const login = (sequence, word) => ({ username: user, password: word || password, requestedSession: '', requestedSequenceNumber: sequence });

const wrongPassword = (next) => {
  session(login(1, 'wrong'), () => check('a wrong password is refused', false), null, (client, payload) => {
    check('a wrong password is refused', payload.rejectReasonCode === 'A');
    client.end();
    setTimeout(next, 100);
  });
};

let heard = [];
let first = 0;
const trade = (next) => {
  let ref = 0;
  session(login(0), (client, payload) => {
    first = payload.sequenceNumber;
    check('the login is accepted with a session', payload.session.trim().length > 0 && first >= 1);
    client.send(Buffer.from('Q'));
  }, (client, payload) => {
    heard.push(Buffer.from(payload));
    const type = String.fromCharCode(payload[0]);
    if (type === 'Q') {
      ref = payload.readUInt32BE(9);
      check('the next number is told', ref >= 1);
      client.send(enterOrder(ref, 'B', 100, 'AAPL', 990000));
    } else if (type === 'A') {
      check('an order is accepted as it was sent', payload.readUInt32BE(9) === ref && payload.readUInt32BE(14) === 100 &&
        payload.toString('latin1', 18, 26).trim() === 'AAPL' && payload.readBigUInt64BE(26) === 990000n);
      client.send(cancelOrder(ref));
    } else if (type === 'C') {
      check('a cancelled order leaves with all it had', payload.readUInt32BE(9) === ref && payload.readUInt32BE(13) === 100);
      // Long enough for a heartbeat of either side.
      setTimeout(() => { client.logout(); setTimeout(() => { client.end(); setTimeout(next, 200); }, 100); }, 2500);
    } else if (type !== 'S') {
      check('nothing else is said, not ' + type, false);
    }
  });
};

const replay = (next) => {
  let again = [];
  session(login(first), (client, payload) => {
    check('a stream is asked for from a number', payload.sequenceNumber === first);
  }, (client, payload) => {
    again.push(Buffer.from(payload));
    if (again.length < heard.length) return;
    check('and comes again, bit for bit', Buffer.concat(again).equals(Buffer.concat(heard)));
    client.logout();
    setTimeout(() => { client.end(); next(); }, 100);
  });
};

wrongPassword(() => trade(() => replay(() => { clearTimeout(timeout); console.log('done'); process.exit(0); })));
