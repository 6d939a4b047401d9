/* What the device lets a program without rights read of its speed and heat. */
#ifndef EDGEKIT_STATE_H
#define EDGEKIT_STATE_H

void say_state(void);

#endif
