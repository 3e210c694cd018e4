// SoupBinTCP as somebody else speaks it (npm soupbintcp, version 3.00), as the server of `outcry load`: a venue that takes
// every order, cancels what it is asked to cancel, and trades with nobody.
// node soup_server.js MODULES; prints "port N", then "session USER ENDING" for each session.
'use strict';
const [modules] = process.argv.slice(2);
const soup = require(modules + '/soupbintcp');

// OUCH 5.0.
const stamp = (m) => { m.writeBigUInt64BE(BigInt(Date.now() % 86400000) * 1000000n, 1); return m; };
const accountAnswer = (ref) => { const m = Buffer.alloc(13); m.write('Q', 0); m.writeUInt32BE(ref, 9); return stamp(m); };
const accepted = (order, number) => {
  const m = Buffer.alloc(64);
  m.write('A', 0);
  order.copy(m, 9, 1, 26);              // number, side, shares, symbol, price
  order.copy(m, 34, 26, 28);            // time in force, display
  m.writeBigUInt64BE(BigInt(number), 36);
  order.copy(m, 44, 28, 31);            // capacity, sweep, cross
  m.write('L', 47);
  order.copy(m, 48, 31, 45);
  return stamp(m);
};
const canceled = (ref, shares, reason) => {
  const m = Buffer.alloc(18);
  m.write('C', 0); m.writeUInt32BE(ref, 9); m.writeUInt32BE(shares, 13); m.write(reason, 17);
  return stamp(m);
};

let number = 0;
const server = new soup.Server({ host: '127.0.0.1', port: 0 });
server.on('listening', () => console.log('port ' + server.address().port));
server.on('session', (session) => {
  const open = new Map();
  let name = '?';
  let orders = 0;
  session.on('login', (payload) => {
    name = payload.username.trim();
    session.accept({ session: 'DAY1', sequenceNumber: 1 });
  });
  session.on('message', (message) => {
    const type = String.fromCharCode(message[0]);
    if (type === 'Q') return session.send(accountAnswer(1));
    const ref = message.readUInt32BE(1);
    if (type === 'O') {
      ++orders;
      session.send(accepted(message, ++number));
      const shares = message.readUInt32BE(6);
      if (String.fromCharCode(message[26]) === '3') session.send(canceled(ref, shares, 'I'));
      else open.set(ref, shares);
    } else if (type === 'X' && open.has(ref)) {
      session.send(canceled(ref, open.get(ref), 'U'));
      open.delete(ref);
    }
  });
  session.on('logout', () => { console.log(`session ${name} logout ${orders}`); session.end(); });
  session.on('error', (error) => console.log(`session ${name} error ${error.message}`));
});
