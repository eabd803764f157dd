/** The argument of every command about one conversation. */
export const CONVERSATION_ARGUMENT = {
  name: 'id',
  description: 'conversation id as `convotel recent` lists it, or a trace id',
};
